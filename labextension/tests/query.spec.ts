import { Signal } from '@lumino/signaling';
import type { SnapMLClient } from '../src/api/client';
import { Changes, EVENT_SCHEMA } from '../src/live/changes';
import { QueryPool } from '../src/live/pool';
import { DEBOUNCE_MILLISECONDS, Query } from '../src/live/query';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

const settle = () => jest.advanceTimersByTimeAsync(DEBOUNCE_MILLISECONDS + 1);

test('an unwatched query asks nothing, and asks once when it is watched', async () => {
  let asked = 0;
  const query = new Query(async () => ++asked, ['run.']);
  query.invalidate();
  await settle();
  expect(asked).toBe(0);
  query.watch();
  await settle();
  expect(query.state).toEqual({ data: 1, error: undefined, isLoading: false });
  query.unwatch();
  query.watch();
  await settle();
  expect(asked).toBe(1);
});

test('a burst of changes is one fetch', async () => {
  let asked = 0;
  const query = new Query(async () => ++asked, ['run.']);
  query.watch();
  await settle();
  for (let i = 0; i < 50; i++) {
    query.invalidate();
  }
  await settle();
  expect(asked).toBe(2);
});

test('a change during a fetch is not lost', async () => {
  const answers: ((value: number) => void)[] = [];
  const query = new Query(() => new Promise<number>(resolve => answers.push(resolve)), ['run.']);
  query.watch();
  query.invalidate();
  answers[0](1);
  await settle();
  expect(answers).toHaveLength(2);
  answers[1](2);
  await settle();
  expect(query.state.data).toBe(2);
});

test('when asking fails the last answer stays beside the error', async () => {
  let isDown = false;
  const query = new Query(async () => {
    if (isDown) {
      throw new Error('down');
    }
    return 'answer';
  }, []);
  query.watch();
  await settle();
  isDown = true;
  await query.refresh();
  expect(query.state).toMatchObject({ data: 'answer', error: new Error('down') });
  isDown = false;
  await query.refresh();
  expect(query.state.error).toBeUndefined();
});

function pool() {
  const calls: string[] = [];
  const client = {
    call: async (name: string) => {
      calls.push(name);
      return [];
    }
  } as unknown as SnapMLClient;
  return { calls, queries: new QueryPool(client) };
}

test('an event asks again only what it concerns', async () => {
  const { calls, queries } = pool();
  const stream = new Signal<object, { schema_id: string; kind?: string }>({});
  const changes = new Changes(queries, stream as never);
  queries.hold('runs.list_runs', {}).watch();
  queries.hold('datasets.list_datasets', {}).watch();
  await settle();
  calls.length = 0;
  stream.emit({ schema_id: EVENT_SCHEMA, kind: 'dataset.version_created' });
  stream.emit({ schema_id: 'https://elsewhere.org/v1', kind: 'run.started' });
  await settle();
  expect(calls).toEqual(['datasets.list_datasets']);
  changes.dispose();
});

test('the same question is asked once for all who hold it, and forgotten after the last', async () => {
  const { calls, queries } = pool();
  const first = queries.hold('registry.list_models', {});
  const second = queries.hold('registry.list_models', {});
  expect(second).toBe(first);
  first.watch();
  second.watch();
  await settle();
  expect(calls).toHaveLength(1);
  queries.release(first);
  queries.release(second);
  await jest.advanceTimersByTimeAsync(10_000);
  expect(first.isDisposed).toBe(true);
  expect(queries.hold('registry.list_models', {})).not.toBe(first);
});
