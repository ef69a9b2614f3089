import type { LineageRecord } from '../src/api/types';
import { layersOf } from '../src/parts/lineage-layers';

const record = (nodes: string[], edges: [string, string][]): LineageRecord => ({
  root: nodes[0],
  nodes: nodes.map(id => ({
    node_id: id,
    kind: 'dataset',
    ref: id,
    label: id,
    created_at: null,
    created_by: null,
    details: {}
  })),
  edges: edges.map(([source, target]) => ({ source, target, role: 'read' })),
  is_cut: false
});
const ids = (found: ReturnType<typeof layersOf>) => found.map(l => l.map(node => node.node_id));

test('a node stands to the right of everything that went into it', () => {
  const graph = record(
    ['model', 'run', 'data', 'other'],
    [
      ['data', 'run'],
      ['run', 'model'],
      ['data', 'other'],
      ['model', 'other']
    ]
  );
  expect(ids(layersOf(graph))).toEqual([['data'], ['run'], ['model'], ['other']]);
});

test('lines cross less: nodes stand beside what goes into them', () => {
  const graph = record(
    ['a', 'b', 'to-b', 'to-a'],
    [
      ['a', 'to-a'],
      ['b', 'to-b']
    ]
  );
  expect(ids(layersOf(graph))).toEqual([
    ['a', 'b'],
    ['to-a', 'to-b']
  ]);
});

test('a circle ends', () => {
  const graph = record(
    ['a', 'b'],
    [
      ['a', 'b'],
      ['b', 'a']
    ]
  );
  expect(layersOf(graph).flat()).toHaveLength(2);
});
