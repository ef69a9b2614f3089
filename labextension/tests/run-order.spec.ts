import { inOrder, PAGE_RUNS } from '../src/sidebar/run-pages';
import { NEWEST, readLook, sortText, startsDescending } from '../src/sidebar/run-order';
import { makeRunPage, makeRunRow } from './records';

test('an order is written as the server reads it', () => {
  expect(sortText(NEWEST)).toBe('started_at desc');
  expect(sortText({ key: 'metrics.auc', isDescending: false })).toBe('metrics.auc asc');
  expect(sortText({ key: 'metrics.auc (test)', isDescending: true })).toBe(
    'metrics.`auc (test)` desc'
  );
});

test('the end that people want first: high scores, low losses, names from A', () => {
  expect(startsDescending('metrics.auc')).toBe(true);
  expect(startsDescending('metrics.val_loss')).toBe(false);
  expect(startsDescending('metrics.rmse')).toBe(false);
  expect(startsDescending('metrics.armse')).toBe(true);
  expect(startsDescending('name')).toBe(false);
  expect(startsDescending('started_at')).toBe(true);
});

test('a stored look that cannot be read is the plain one', () => {
  const plain = { order: NEWEST, columns: [] };
  expect(readLook(undefined)).toEqual(plain);
  expect(readLook({ order: 'auc', columns: [1, 'params.depth'] })).toEqual({
    ...plain,
    columns: ['params.depth']
  });
});

test('rows stand at their places, those of other pages are empty, and none stands twice', () => {
  const all = Array.from({ length: 250 }, (_, i) => makeRunRow({ run_id: `r-${i}` }));
  const pages = new Map([
    [2, makeRunPage(all, { offset: 200 })],
    // Fetched when one run less was above: its first one has moved to the page before.
    [0, makeRunPage(all)],
    [1, makeRunPage(all, { offset: 99 })]
  ]);
  const rows = inOrder({ total: 250, pages });
  expect(rows).toHaveLength(250);
  expect(rows[99]?.run_id).toBe('r-99');
  expect(rows[PAGE_RUNS]).toBeUndefined();
  expect(rows[101]?.run_id).toBe('r-100');
  expect(rows[249]?.run_id).toBe('r-249');
  pages.delete(1);
  expect(inOrder({ total: 250, pages }).filter(row => row === undefined)).toHaveLength(100);
});
