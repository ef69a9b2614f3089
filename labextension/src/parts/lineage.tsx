import React, { useEffect, useRef, useState } from 'react';
import type { LineageNode, LineageRecord, NodeKind } from '../api/types';
import { count } from '../format';
import { useOperation } from '../live/hooks';
import type { Kind } from '../tokens';
import { CommandIDs } from '../tokens';
import { layersOf } from './lineage-layers';
import { RefLink } from './links';
import { Answered } from './states';
import { useSurroundings } from './surroundings';
import { Table } from './tables';

const WIDTH = 176;
const HEIGHT = 40;
const GAP_X = 56;
const GAP_Y = 14;
const MARGIN = 4;
/** Letters a box has room for. */
const LETTERS = 22;

/** Never colour alone: each kind has its own shape. */
const MARKS: Record<NodeKind, string> = {
  source: '◇',
  dataset: '▤',
  run: '▶',
  model: '◆',
  endpoint: '●'
};

/** What this came from and what came from it, from left to right. */
export function LineageTab(props: { kind: NodeKind; reference: string }): React.ReactElement {
  const ref = `${props.kind}:${props.reference}`;
  const answer = useOperation('governance.get_lineage', { ref });
  return <Answered answer={answer}>{record => <Lineage record={record} />}</Answered>;
}

function Lineage(props: { record: LineageRecord }): React.ReactElement {
  const { record } = props;
  const { trans } = useSurroundings();
  const [asList, setAsList] = useState(false);
  return (
    <>
      {record.nodes.length === 1 && (
        <p className="jp-snapml-quiet">{trans.__('Nothing is recorded before or after it yet.')}</p>
      )}
      {record.is_cut && (
        <p className="jp-snapml-note">
          {trans.__('There is more: only the nearest %1 are shown.', count(record.nodes.length))}
        </p>
      )}
      {asList ? <Edges record={record} /> : <Graph record={record} />}
      {record.edges.length > 0 && (
        <button type="button" className="jp-snapml-link" onClick={() => setAsList(!asList)}>
          {asList ? trans.__('View as graph') : trans.__('View as table')}
        </button>
      )}
    </>
  );
}

function useKinds(): Record<NodeKind, string> {
  const { trans } = useSurroundings();
  return {
    source: trans.__('source'),
    dataset: trans.__('dataset'),
    run: trans.__('run'),
    model: trans.__('model'),
    endpoint: trans.__('endpoint')
  };
}

/** A graph to look at and to walk in: Tab reaches it, arrow keys move in it, Enter opens. */
function Graph(props: { record: LineageRecord }): React.ReactElement {
  const { record } = props;
  const { trans, commands } = useSurroundings();
  const kinds = useKinds();
  const svg = useRef<SVGSVGElement>(null);
  const layers = layersOf(record);
  const [here, setHere] = useState(record.root);
  const tallest = Math.max(...layers.map(layer => layer.length));
  const height = tallest * (HEIGHT + GAP_Y) - GAP_Y + 2 * MARGIN;
  const width = layers.length * (WIDTH + GAP_X) - GAP_X + 2 * MARGIN;
  const places = new Map<string, { x: number; y: number; column: number; row: number }>();
  layers.forEach((layer, column) => {
    const used = layer.length * (HEIGHT + GAP_Y) - GAP_Y;
    layer.forEach((node, row) => {
      places.set(node.node_id, {
        x: MARGIN + column * (WIDTH + GAP_X),
        y: Math.floor((height - used) / 2) + row * (HEIGHT + GAP_Y),
        column,
        row
      });
    });
  });
  const focused = places.has(here) ? here : record.root;
  const { x: left, y: top } = places.get(record.root) ?? { x: 0, y: 0 };
  useEffect(() => {
    const shown = svg.current?.parentElement;
    if (shown) {
      shown.scrollLeft = left + (WIDTH - shown.clientWidth) / 2;
      shown.scrollTop = top + (HEIGHT - shown.clientHeight) / 2;
    }
  }, [left, top]);

  const move = (event: React.KeyboardEvent, node: LineageNode) => {
    const { column, row } = places.get(node.node_id)!;
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[
      event.key
    ];
    if (step !== undefined) {
      event.preventDefault();
      const layer = layers[column + step[0]] ?? layers[column];
      const next = layer[Math.min(layer.length - 1, Math.max(0, row + step[1]))];
      setHere(next.node_id);
      svg.current?.querySelector<SVGGElement>(`[data-node="${CSS.escape(next.node_id)}"]`)?.focus();
    } else if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      open(node);
    }
  };
  const open = (node: LineageNode) => {
    if (node.kind !== 'source') {
      void commands.execute(CommandIDs.open, { kind: node.kind, ref: node.ref });
    }
  };
  const nodes = layers.flat();
  return (
    <div className="jp-snapml-lineage">
      <svg
        ref={svg}
        width={width}
        height={height}
        viewBox={`0 0 ${width} ${height}`}
        role="group"
        aria-label={trans.__('Lineage: %1 things, arrow keys move', nodes.length)}
      >
        {record.edges.map(edge => {
          const from = places.get(edge.source);
          const to = places.get(edge.target);
          if (!from || !to) {
            return null;
          }
          const [a, b, c, d] = [from.x + WIDTH, from.y + HEIGHT / 2, to.x, to.y + HEIGHT / 2];
          const bend = Math.max(24, Math.abs(c - a) / 2);
          const touches = edge.source === focused || edge.target === focused;
          return (
            <path
              key={`${edge.source} ${edge.target} ${edge.role}`}
              d={`M${a},${b} C${a + bend},${b} ${c - bend},${d} ${c},${d}`}
              data-near={touches || undefined}
            >
              <title>{edge.role}</title>
            </path>
          );
        })}
        {nodes.map(node => {
          const { x, y } = places.get(node.node_id)!;
          const isRoot = node.node_id === record.root;
          return (
            <g
              key={node.node_id}
              transform={`translate(${x},${y})`}
              role={node.kind === 'source' ? 'img' : 'link'}
              tabIndex={node.node_id === focused ? 0 : -1}
              aria-label={spoken(node, kinds, record)}
              data-node={node.node_id}
              data-kind={node.kind}
              data-root={isRoot || undefined}
              onFocus={() => setHere(node.node_id)}
              onClick={() => open(node)}
              onKeyDown={event => move(event, node)}
            >
              <title>{[node.label, ...detailsOf(node)].join('\n')}</title>
              <rect width={WIDTH} height={HEIGHT} rx={3} />
              <text x={10} y={17} className="jp-snapml-lineage-mark">
                {MARKS[node.kind]}
              </text>
              <text x={28} y={17}>
                {node.label.length > LETTERS ? `${node.label.slice(0, LETTERS - 1)}…` : node.label}
              </text>
              <text x={28} y={31} className="jp-snapml-lineage-below">
                {[kinds[node.kind], node.created_by].filter(Boolean).join(' · ')}
              </text>
            </g>
          );
        })}
      </svg>
    </div>
  );
}

function detailsOf(node: LineageNode): string[] {
  return Object.entries(node.details).map(([name, value]) => `${name.replace(/_/g, ' ')} ${value}`);
}

function spoken(node: LineageNode, kinds: Record<NodeKind, string>, record: LineageRecord): string {
  const into = record.edges.filter(edge => edge.target === node.node_id).length;
  const from = record.edges.filter(edge => edge.source === node.node_id).length;
  return [`${kinds[node.kind]} ${node.label}`, `← ${into}`, `→ ${from}`].join(', ');
}

function Edges(props: { record: LineageRecord }): React.ReactElement {
  const { record } = props;
  const { trans } = useSurroundings();
  const nodes = new Map(record.nodes.map(node => [node.node_id, node]));
  return (
    <Table
      label={trans.__('Lineage')}
      columns={[
        { label: trans.__('From') },
        { label: trans.__('How') },
        { label: trans.__('Into') }
      ]}
      rows={record.edges.map(edge => [
        <NodeLink key="from" node={nodes.get(edge.source)} />,
        edge.role,
        <NodeLink key="into" node={nodes.get(edge.target)} />
      ])}
    />
  );
}

function NodeLink(props: { node: LineageNode | undefined }): React.ReactElement {
  const kinds = useKinds();
  const { node } = props;
  if (node === undefined) {
    return <></>;
  }
  return (
    <span>
      <span aria-hidden="true">{MARKS[node.kind]}</span> {kinds[node.kind]}{' '}
      {node.kind === 'source' ? (
        node.label
      ) : (
        <RefLink kind={node.kind as Kind} to={node.ref}>
          {node.label}
        </RefLink>
      )}
    </span>
  );
}
