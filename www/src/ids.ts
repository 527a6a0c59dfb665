let lastId = 0;

/** An id that nothing else in the document has, to tie a label or a description to its control. */
export function freshId(stem: string): string {
  lastId += 1;
  return `${stem}-${lastId}`;
}
