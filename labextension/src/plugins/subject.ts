import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { Kind } from '../tokens';

/** What a command is about. */
export interface ISubject {
  kind: Kind;
  ref: string;
}

/** For `describedBy` of the commands about one thing. */
export const SUBJECT_SCHEMA = {
  type: 'object',
  properties: {
    kind: {
      type: 'string',
      enum: ['run', 'comparison', 'dataset', 'model', 'endpoint', 'monitor']
    },
    ref: {
      type: 'string',
      description:
        'Run id, ids of runs joined by commas, dataset version, model version or endpoint name'
    }
  }
} as const;

/** The thing named in the arguments, else the row on which the context menu was opened. */
export function subjectOf(
  app: JupyterFrontEnd,
  args: ReadonlyPartialJSONObject
): ISubject | undefined {
  if (typeof args.kind === 'string' && typeof args.ref === 'string') {
    return { kind: args.kind as Kind, ref: args.ref };
  }
  const node = app.contextMenuHitTest(n => n.dataset.kind !== undefined && 'ref' in n.dataset);
  return node === undefined
    ? undefined
    : { kind: node.dataset.kind as Kind, ref: node.dataset.ref ?? '' };
}
