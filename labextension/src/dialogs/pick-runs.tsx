import { Dialog, showDialog } from '@jupyterlab/apputils';
import React, { useEffect, useState } from 'react';
import type { RunRow } from '../api/types';
import { useOperation } from '../live/hooks';
import { keyMetric } from '../sidebar/rows';
import { Answered } from '../parts/states';
import { NamedStatus } from '../parts/status';
import type { ISurroundings } from '../parts/surroundings';
import { SurroundedWidget, useSurroundings } from '../parts/surroundings';
import { Age } from '../parts/times';

/** Most runs that the server puts side by side. */
export const MAX_RUNS = 20;
/** Runs offered at a time; others are found by typing. */
const OFFERED = 50;
const TYPING_MILLISECONDS = 200;

/**
 * Asks which runs to compare, these being chosen already. None when the person turned away.
 *
 * The first one chosen is the one that the others are compared with. Raises what the server says to a reference that
 * names no run.
 */
export async function pickRuns(
  refs: readonly string[],
  surroundings: ISurroundings
): Promise<string[]> {
  const { trans, snapml } = surroundings;
  // By id, so that a run named otherwise is not offered again.
  const named = await Promise.all(refs.map(ref => snapml.client.call('runs.get_run', { ref })));
  let chosen: IChosen[] = named.map(run => ({ run_id: run.run_id, name: run.name }));
  for (;;) {
    const body = new PickBody(surroundings, chosen);
    const { button } = await showDialog<IChosen[]>({
      title: trans.__('Compare runs'),
      body,
      focusNodeSelector: 'input[type=search]',
      buttons: [
        Dialog.cancelButton({ label: trans.__('Cancel') }),
        Dialog.okButton({ label: trans.__('Compare') })
      ]
    });
    chosen = body.getValue();
    if (!button.accept) {
      return [];
    }
    // One run is not a comparison: the dialog, which says so, comes again.
    if (chosen.length >= 2) {
      return chosen.map(run => run.run_id);
    }
  }
}

interface IChosen {
  run_id: string;
  name: string;
}

class PickBody extends SurroundedWidget implements Dialog.IBodyWidget<IChosen[]> {
  constructor(
    surroundings: ISurroundings,
    private _chosen: IChosen[]
  ) {
    super(surroundings);
  }

  getValue(): IChosen[] {
    return this._chosen;
  }

  protected override renderContent(): React.ReactElement {
    return (
      <Picker
        chosen={this._chosen}
        onChange={chosen => {
          this._chosen = chosen;
        }}
      />
    );
  }
}

function Picker(props: {
  chosen: IChosen[];
  onChange: (chosen: IChosen[]) => void;
}): React.ReactElement {
  const { trans } = useSurroundings();
  const [chosen, setChosen] = useState(props.chosen);
  const [typed, setTyped] = useState('');
  const [text, setText] = useState('');
  useEffect(() => {
    const timer = window.setTimeout(() => setText(typed.trim()), TYPING_MILLISECONDS);
    return () => window.clearTimeout(timer);
  }, [typed]);
  const answer = useOperation('runs.search_runs', {
    text,
    columns: ['metrics.*'],
    limit: OFFERED
  });
  const change = (next: IChosen[]) => {
    setChosen(next);
    props.onChange(next);
  };
  const toggle = (run: IChosen) =>
    change(
      chosen.some(other => other.run_id === run.run_id)
        ? chosen.filter(other => other.run_id !== run.run_id)
        : [...chosen, { run_id: run.run_id, name: run.name }]
    );
  return (
    <div className="jp-snapml-pick">
      <p aria-live="polite">
        {chosen.length < 2
          ? trans.__('Choose two runs or more; the first is what others are compared with.')
          : trans.__('%1 of at most %2 runs chosen.', chosen.length, MAX_RUNS)}
      </p>
      {chosen.length > 0 && (
        <ol className="jp-snapml-picked" aria-label={trans.__('Chosen runs')}>
          {chosen.map(run => (
            <li key={run.run_id}>
              <span title={run.run_id}>{run.name}</span>
              <button
                type="button"
                title={trans.__('Leave out')}
                aria-label={trans.__('Leave out %1', run.name)}
                onClick={() => toggle(run)}
              >
                ✕
              </button>
            </li>
          ))}
        </ol>
      )}
      <input
        type="search"
        className="jp-mod-styled"
        value={typed}
        spellCheck={false}
        placeholder={trans.__('Words, or metrics.auc > 0.8')}
        aria-label={trans.__('Find runs')}
        onChange={event => setTyped(event.target.value)}
      />
      <div className="jp-snapml-offered">
        <Answered answer={answer}>
          {page => (
            <>
              {page.rows.length === 0 && (
                <p className="jp-snapml-quiet">{trans.__('No run matches.')}</p>
              )}
              {page.rows.map(run => (
                <Offer
                  key={run.run_id}
                  run={run}
                  isChosen={chosen.some(other => other.run_id === run.run_id)}
                  isFull={chosen.length >= MAX_RUNS}
                  onToggle={toggle}
                />
              ))}
              {page.n_total > page.rows.length && (
                <p className="jp-snapml-quiet">
                  {trans.__('%1 more: type to find them.', page.n_total - page.rows.length)}
                </p>
              )}
            </>
          )}
        </Answered>
      </div>
    </div>
  );
}

function Offer(props: {
  run: RunRow;
  isChosen: boolean;
  isFull: boolean;
  onToggle: (run: IChosen) => void;
}): React.ReactElement {
  const { run, isChosen } = props;
  const figure = keyMetric(run.metrics);
  return (
    <label title={run.run_id}>
      <input
        type="checkbox"
        checked={isChosen}
        disabled={props.isFull && !isChosen}
        onChange={() => props.onToggle(run)}
      />
      <NamedStatus name={run.status} />
      <span className="jp-snapml-offered-name">{run.name}</span>
      {figure && (
        <small>
          {figure.name} {figure.value}
        </small>
      )}
      <Age at={run.started_at} />
    </label>
  );
}
