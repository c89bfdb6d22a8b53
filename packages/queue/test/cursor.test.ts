import { cursorAt, freshRows, readAfter } from '../src';

const rows = (...ids: number[]) => ids.map(id => ({ id }));

it('begins behind what is there already', () => {
  const start = cursorAt(100);
  expect(freshRows(rows(85, 99, 100), start).fresh).toEqual([]);
  expect(freshRows(rows(99, 100, 101), start).fresh).toEqual(rows(101));
});

it('tells a row that becomes visible after higher ones, once', () => {
  const { next } = freshRows(rows(101, 103), cursorAt(100));
  expect(readAfter(next)).toBeLessThan(102);
  const late = freshRows(rows(101, 102, 103), next);
  expect(late.fresh).toEqual(rows(102));
  expect(freshRows(rows(101, 102, 103), late.next).fresh).toEqual([]);
});

it('forgets what is far below', () => {
  const { next } = freshRows(rows(500), cursorAt(100));
  expect(next).toEqual({ latest: 500, seen: [500] });
});
