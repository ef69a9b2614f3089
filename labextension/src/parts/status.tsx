import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { useSurroundings } from './surroundings';

/** How something is doing, whatever it is. */
export type Condition = 'good' | 'busy' | 'waiting' | 'bad' | 'alert' | 'stopped';

/** Never colour alone: each condition has its own shape, and its word is always there for a screen reader. */
const SHAPES: Record<Condition, string> = {
  good: '●',
  busy: '◐',
  waiting: '◌',
  bad: '✕',
  alert: '▲',
  stopped: '■'
};

export interface IStatus {
  condition: Condition;
  word: string;
}

/** The shape and colour of a condition; the word is spoken, and shown when `showWord`. */
export function Status(props: IStatus & { showWord?: boolean }): React.ReactElement {
  return (
    <span className="jp-snapml-status" data-condition={props.condition} title={props.word}>
      <span className="jp-snapml-status-shape" aria-hidden="true">
        {SHAPES[props.condition]}
      </span>
      <span className={props.showWord ? undefined : 'jp-snapml-spoken'}>{props.word}</span>
    </span>
  );
}

/** Statuses of runs, deployments and alerts as the server names them. */
export function statusOf(name: string, trans: TranslationBundle): IStatus {
  const statuses: Record<string, IStatus> = {
    running: { condition: 'busy', word: trans.__('running') },
    finished: { condition: 'good', word: trans.__('finished') },
    failed: { condition: 'bad', word: trans.__('failed') },
    cancelled: { condition: 'stopped', word: trans.__('cancelled') },
    interrupted: { condition: 'stopped', word: trans.__('interrupted') },
    starting: { condition: 'waiting', word: trans.__('starting') },
    live: { condition: 'good', word: trans.__('live') },
    retired: { condition: 'stopped', word: trans.__('retired') },
    promoted: { condition: 'good', word: trans.__('promoted') },
    rolled_back: { condition: 'alert', word: trans.__('rolled back') },
    stopped: { condition: 'stopped', word: trans.__('stopped') },
    holds: { condition: 'good', word: trans.__('holds') },
    broken: { condition: 'bad', word: trans.__('broken') },
    unknown: { condition: 'waiting', word: trans.__('not known yet') },
    open: { condition: 'alert', word: trans.__('open') },
    acknowledged: { condition: 'waiting', word: trans.__('acknowledged') },
    resolved: { condition: 'good', word: trans.__('resolved') }
  };
  return statuses[name] ?? { condition: 'waiting', word: name };
}

/** The status that the server names so. */
export function NamedStatus(props: { name: string; showWord?: boolean }): React.ReactElement {
  const { trans } = useSurroundings();
  return <Status {...statusOf(props.name, trans)} showWord={props.showWord} />;
}
