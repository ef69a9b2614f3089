import { useMemo } from 'react';
import type { OperationName, ResultOf } from '../api/client';
import type { IAnswer } from '../live/hooks';
import { useOperation } from '../live/hooks';
import { useSurroundings } from '../parts/surroundings';
import { CommandIDs } from '../tokens';
import { useGrowingRuns } from './growing-runs';
import type { IRow } from './rows';
import * as make from './rows';
import type { ISection } from './section';

const NO_ARGUMENTS = {};

type ListOperation =
  | 'datasets.list_datasets'
  | 'registry.list_models'
  | 'serving.list_endpoints'
  | 'monitoring.list_monitors';

/** Every section with its rows, filtered. Each asks its own question, so a change redraws only its own. */
export function useSections(filter: string): ISection[] {
  const { trans } = useSurroundings();
  const alerts = useAlerts();
  const runs = useRuns();
  const datasets = useList('datasets.list_datasets', make.datasetRow);
  const models = useList('registry.list_models', make.modelRow);
  const endpoints = useList('serving.list_endpoints', make.endpointRow);
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
  return all
    .map(section => ({ ...section, rows: make.filterRows(section.rows, filter) }))
    .filter(section => !(section.isHiddenWhenEmpty && section.total === 0));
}

type Rows = Pick<ISection, 'answer' | 'rows' | 'total' | 'onNearEnd'>;

function useRuns(): Rows {
  const { trans } = useSurroundings();
  const { answer, runs, onNearEnd } = useGrowingRuns();
  const status = useOperation('governance.get_status', NO_ARGUMENTS);
  const rows = useMemo(() => runs.map(run => make.runRow(run, trans)), [runs, trans]);
  return { answer, rows, total: Math.max(runs.length, status.data?.n_runs ?? 0), onNearEnd };
}

function useAlerts(): Rows {
  const { trans } = useSurroundings();
  const answer = useOperation('monitoring.list_alerts', { state: 'open' });
  const rows = useRows(answer, alert => make.alertRow(alert, trans));
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
