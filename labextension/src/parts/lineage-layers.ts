import type { LineageNode, LineageRecord } from '../api/types';

/** The nodes in columns: each stands to the right of all that went into it, near to what it is tied to. */
export function layersOf(record: LineageRecord): LineageNode[][] {
  const into = new Map<string, string[]>(record.nodes.map(node => [node.node_id, []]));
  for (const edge of record.edges) {
    if (into.has(edge.source) && edge.source !== edge.target) {
      into.get(edge.target)?.push(edge.source);
    }
  }
  const layer = new Map<string, number>();
  const place = (id: string, path: ReadonlySet<string>): number => {
    const known = layer.get(id);
    if (known !== undefined) {
      return known;
    }
    const onPath = new Set(path).add(id);
    const before = into
      .get(id)!
      .filter(other => !onPath.has(other))
      .map(other => place(other, onPath));
    const found = Math.max(-1, ...before) + 1;
    layer.set(id, found);
    return found;
  };
  record.nodes.forEach(node => place(node.node_id, new Set()));
  const columns: LineageNode[][] = [];
  for (const node of record.nodes) {
    (columns[layer.get(node.node_id)!] ??= []).push(node);
  }
  return untangle(columns, into);
}

/** Each column in the order of the middle of what goes into its nodes, so that fewer lines cross. */
function untangle(
  columns: LineageNode[][],
  into: ReadonlyMap<string, readonly string[]>
): LineageNode[][] {
  const row = new Map<string, number>();
  return columns.map(column => {
    const middle = (node: LineageNode, i: number) => {
      const rows = into
        .get(node.node_id)!
        .map(id => row.get(id))
        .filter((one): one is number => one !== undefined);
      return rows.length > 0 ? rows.reduce((sum, one) => sum + one, 0) / rows.length : i;
    };
    const ordered = column
      .map((node, i) => ({ node, at: middle(node, i), i }))
      .sort((a, b) => a.at - b.at || a.i - b.i)
      .map(({ node }) => node);
    ordered.forEach((node, i) => row.set(node.node_id, i));
    return ordered;
  });
}
