/** Text from a remote without the control characters that could move a terminal's cursor or hide what was said. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, (character) => (character === "\n" || character === "\t" ? " " : "�"));
}
