import { cursorAt, newRows, readAfter } from '../src';

const rows = (...ids: number[]) => ids.map(id => ({ id }));

it('starts behind the existing rows', () => {
  const start = cursorAt(100);
  expect(newRows(rows(85, 99, 100), start).fresh).toEqual([]);
  expect(newRows(rows(99, 100, 101), start).fresh).toEqual(rows(101));
});

it('finds a row that becomes visible after higher ones, once', () => {
  const { next } = newRows(rows(101, 103), cursorAt(100));
  expect(readAfter(next)).toBeLessThan(102);
  const late = newRows(rows(101, 102, 103), next);
  expect(late.fresh).toEqual(rows(102));
  expect(newRows(rows(101, 102, 103), late.next).fresh).toEqual([]);
});

it('forgets ids that are far below', () => {
  const { next } = newRows(rows(500), cursorAt(100));
  expect(next).toEqual({ latest: 500, seen: [500] });
});
