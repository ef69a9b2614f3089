import { Token } from '@lumino/coreutils';
import type { SnapMLClient } from './api/client';
import type { QueryPool } from './live/pool';

/** The workspace behind this Jupyter server: calls, and questions that stay answered as it changes. */
export interface ISnapML {
  readonly client: SnapMLClient;
  readonly queries: QueryPool;
}

export const ISnapML = new Token<ISnapML>(
  'snapml-jupyter:ISnapML',
  'Calls the SnapML server part and follows the changes in its workspace.'
);

/** What has a row in the sidebar and a page in the main area. */
export type Kind = 'run' | 'comparison' | 'dataset' | 'model' | 'endpoint' | 'monitor' | 'alert';

/** The kinds with a page. */
export const PAGE_KINDS: readonly Kind[] = [
  'run',
  'comparison',
  'dataset',
  'model',
  'endpoint',
  'monitor'
];

/** The runs of a comparison, whose reference names them all. */
export function refsOf(comparison: string): string[] {
  return comparison.split(',').map(decodeURIComponent);
}

/** The reference of a comparison of these runs. */
export function comparisonOf(refs: readonly string[]): string {
  return refs.map(encodeURIComponent).join(',');
}

/** Commands of the extension. Those about one thing take `{kind, ref}`, or the row under the context menu. */
export const CommandIDs = {
  open: 'snapml:open',
  compare: 'snapml:compare',
  copyReference: 'snapml:copy-reference',
  insertCell: 'snapml:insert-cell',
  deploy: 'snapml:deploy',
  rollBack: 'snapml:roll-back',
  upload: 'snapml:upload',
  showPanel: 'snapml:show-panel',
  refresh: 'snapml:refresh',
  startHost: 'snapml:start-host',
  stopHost: 'snapml:stop-host'
} as const;

/** The plugin whose schema holds the settings. */
export const SETTINGS_ID = 'snapml-jupyter:plugin';
