import { useEffect, useMemo, useState } from 'react';
import { SnapMLError } from '../api/errors';
import type { OperationName, ResultOf } from '../api/client';
import type { RunRow } from '../api/types';
import type { IAnswer } from '../live/hooks';
import { useOperation } from '../live/hooks';
import { useSettled } from '../live/settled';
import { useSurroundings } from '../parts/surroundings';
import { CommandIDs } from '../tokens';
import type { IRow } from './rows';
import * as make from './rows';
import type { IRunLook } from './run-order';
import { useRunPages } from './run-pages';
import type { ISection } from './section';

const NO_ARGUMENTS = {};

/** How often a running canary is looked at. */
const ROLLOUT_MILLISECONDS = 3000;

type ListOperation = 'datasets.list_datasets' | 'registry.list_models' | 'monitoring.list_monitors';

export interface ISections {
  sections: ISection[];
  /** Why the filter cannot be read as conditions on runs. */
  misread: SnapMLError | undefined;
}

/**
 * Every section with its rows, filtered. Each asks its own question, so a change redraws only its own.
 *
 * Runs are filtered by the server, which reads conditions too; the others, of which there are few, here.
 */
export function useSections(filter: string, look: IRunLook): ISections {
  const { trans } = useSurroundings();
  const alerts = useAlerts();
  const { misread, ...runs } = useRuns(filter, look);
  const datasets = useList('datasets.list_datasets', make.datasetRow);
  const models = useList('registry.list_models', make.modelRow);
  const endpoints = useEndpoints();
  const monitors = useList('monitoring.list_monitors', make.monitorRow);

  const all: ISection[] = [
    {
      id: 'alerts',
      title: trans.__('Alerts'),
      ...alerts,
      empty: { text: '' },
      isHiddenWhenEmpty: true
    },
    {
      id: 'runs',
      title: trans.__('Runs'),
      ...runs,
      empty: {
        text: trans.__('Runs appear here when a cell begins with %%snap_train and a name.'),
        code: '%%snap_train my-model\n'
      }
    },
    {
      id: 'datasets',
      title: trans.__('Datasets'),
      ...datasets,
      add: { label: trans.__('Upload a dataset'), command: CommandIDs.upload },
      empty: {
        text: trans.__('Data that your runs read is kept here; or keep a DataFrame yourself.'),
        code: '%snap_data my-data df'
      }
    },
    {
      id: 'models',
      title: trans.__('Models'),
      ...models,
      empty: {
        text: trans.__("A run's model appears here once it is registered under a name."),
        code: '%snap_register my-run my-model'
      }
    },
    {
      id: 'endpoints',
      title: trans.__('Endpoints'),
      ...endpoints,
      empty: {
        text: trans.__('A deployed model answers requests at an endpoint, which appears here.'),
        code: '%snap_deploy my-model'
      }
    },
    {
      id: 'monitors',
      title: trans.__('Monitors'),
      ...monitors,
      empty: {
        text: trans.__('Every endpoint gets a monitor once it answers requests.'),
        code: '%snap_monitor my-endpoint'
      }
    }
  ];
  const sections = all
    .map(section =>
      section.id === 'runs' ? section : { ...section, rows: make.filterRows(section.rows, filter) }
    )
    .filter(section => !(section.isHiddenWhenEmpty && section.total === 0));
  return { sections, misread };
}

type Rows = Pick<ISection, 'answer' | 'rows' | 'total' | 'onRange' | 'question'>;

function useRuns(filter: string, look: IRunLook): Rows & { misread: SnapMLError | undefined } {
  const { trans } = useSurroundings();
  const text = useSettled(filter.trim());
  const pages = useRunPages(text, look);
  const status = useOperation('governance.get_status', NO_ARGUMENTS);
  const made = useMemo(
    () => new WeakMap<RunRow, IRow>(),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- what was made for another look is forgotten
    [look, trans]
  );
  const rows = useMemo(
    () =>
      pages.rows.map((run, place) => {
        if (run === undefined) {
          return make.waitingRow(place);
        }
        const known = made.get(run) ?? make.runRow(run, look, trans);
        made.set(run, known);
        return known;
      }),
    [pages.rows, made, look, trans]
  );
  const { error } = pages.answer;
  const misread =
    error instanceof SnapMLError && error.code === 'invalid_input' && text !== ''
      ? error
      : undefined;
  return {
    answer: misread ? { ...pages.answer, error: undefined } : pages.answer,
    rows,
    // Before anything was filtered out there are as many as the list has.
    total: Math.max(rows.length, status.data?.n_runs ?? 0),
    question: pages.question,
    onRange: pages.onRange,
    misread
  };
}

function useAlerts(): Rows {
  const { trans } = useSurroundings();
  const answer = useOperation('monitoring.list_alerts', { state: 'open' });
  const rows = useRows(answer, alert => make.alertRow(alert, trans));
  return { answer, rows, total: rows.length };
}

function useEndpoints(): Rows {
  const { trans } = useSurroundings();
  const [isRolling, setRolling] = useState(false);
  // While a canary runs, what it waits for changes without an event.
  const answer = useOperation('serving.list_endpoints', NO_ARGUMENTS, {
    everyMilliseconds: isRolling ? ROLLOUT_MILLISECONDS : undefined
  });
  const { data } = answer;
  useEffect(
    () => setRolling(data?.some(each => each.rollout?.state === 'running') ?? false),
    [data]
  );
  const rows = useRows(answer, endpoint => make.endpointRow(endpoint, trans));
  return { answer, rows, total: rows.length };
}

function useList<N extends ListOperation>(
  name: N,
  row: (record: ResultOf<N>[number], trans: ReturnType<typeof useSurroundings>['trans']) => IRow
): Rows {
  const { trans } = useSurroundings();
  const answer = useOperation<OperationName & N>(name, NO_ARGUMENTS);
  const rows = useRows(answer as IAnswer<ResultOf<N>[number][]>, record => row(record, trans));
  return { answer, rows, total: rows.length };
}

function useRows<T>(answer: IAnswer<T[]>, row: (record: T) => IRow): readonly IRow[] {
  const { data } = answer;
  // eslint-disable-next-line react-hooks/exhaustive-deps -- how a record is shown does not change
  return useMemo(() => (data ?? []).map(row), [data]);
}
