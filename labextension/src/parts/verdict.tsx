import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { Verdict as Name } from '../api/types';
import { useSurroundings } from './surroundings';

/** Shapes of their own, so that a verdict is never taken for the status of a run. */
const SHAPES: Record<Name, string> = {
  identical: '✓',
  equivalent: '≈',
  different: '≠',
  not_replayable: '–'
};

/** The word for a verdict. */
export function verdictWord(name: Name, trans: TranslationBundle): string {
  const words: Record<Name, string> = {
    identical: trans.__('identical'),
    equivalent: trans.__('equivalent'),
    different: trans.__('different'),
    not_replayable: trans.__('not replayable')
  };
  return words[name];
}

/** What a replay came to: shape, colour and word; the word is always there for a screen reader. */
export function Verdict(props: { name: Name; showWord?: boolean }): React.ReactElement {
  const { trans } = useSurroundings();
  const word = verdictWord(props.name, trans);
  return (
    <span
      className="jp-snapml-verdict"
      data-verdict={props.name}
      title={trans.__('Replay: %1', word)}
    >
      <span className="jp-snapml-status-shape" aria-hidden="true">
        {SHAPES[props.name]}
      </span>
      <span className={props.showWord ? undefined : 'jp-snapml-spoken'}>
        {props.showWord ? word : trans.__('replay %1', word)}
      </span>
    </span>
  );
}
