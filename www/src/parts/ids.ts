let lastId = 0;

/** A unique id in the document. It connects a label or a description to its control. */
export function freshId(stem: string): string {
  lastId += 1;
  return `${stem}-${lastId}`;
}
