/** Removes control characters from a remote's text: they could move the terminal's cursor or hide text. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, (character) => (character === "\n" || character === "\t" ? " " : "�"));
}
