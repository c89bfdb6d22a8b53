import { CallError } from './call-error';

/**
 * Makes one call for many items. A call that fails is split in halves, and those again, until each item that makes it
 * fail stands alone: that item gets its error, all others get their result.
 * @param call answers all items in their order
 * @param isItemsFault whether an item of the call is to blame; otherwise the whole batch rejects with the error
 */
export async function splitBatch<Item, Result>(
  items: readonly Item[],
  call: (some: readonly Item[]) => Promise<Result[]>,
  isItemsFault: (error: CallError, some: readonly Item[]) => Promise<boolean>,
): Promise<(Result | CallError)[]> {
  try {
    return await call(items);
  } catch (error) {
    if (!(error instanceof CallError) || !(await isItemsFault(error, items))) throw error;
    if (items.length <= 1) return items.map(() => error);
    const middle = Math.ceil(items.length / 2);
    const first = await splitBatch(items.slice(0, middle), call, isItemsFault);
    return [...first, ...(await splitBatch(items.slice(middle), call, isItemsFault))];
  }
}
