/**
 * Lists that come in pages.
 *
 * @module
 */

/** A page to `await`; or all items of all pages, for `for await`, which asks for each page when it gets there. */
export type Paged<Page, Item> = Promise<Page> & AsyncIterable<Item>;

/** The first page of a list, and the way to the others. */
export function paged<Page extends { next_cursor: string | null }, Item>(
  first: Promise<Page>,
  items: (page: Page) => Item[],
  next: (cursor: string) => Promise<Page>,
): Paged<Page, Item> {
  return Object.assign(first, {
    async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
      for (let page = await first; ; page = await next(page.next_cursor)) {
        yield* items(page);
        if (page.next_cursor === null) return;
      }
    },
  });
}
