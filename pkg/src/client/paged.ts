/**
 * Lists with pages.
 *
 * @module
 */

/** A page to `await`; or all items of all pages, for `for await`, which asks for each page when it gets there. */
export type Paged<Page, Item> = Promise<Page> & AsyncIterable<Item>;

/** A list. `page` requests the page after a cursor. The first page, without a cursor, is requested at once. */
export function paged<Page extends { next_cursor: string | null }, Item>(
  page: (from: { cursor?: string }) => Promise<Page>,
  items: (page: Page) => Item[],
): Paged<Page, Item> {
  const first = page({});
  return Object.assign(first, {
    async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
      for (let current = await first; ; current = await page({ cursor: current.next_cursor })) {
        yield* items(current);
        if (current.next_cursor === null) return;
      }
    },
  });
}
