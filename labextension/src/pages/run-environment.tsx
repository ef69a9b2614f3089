import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { Environment, Run } from '../api/types';
import { count } from '../format';
import { useOperation } from '../live/hooks';
import { Part } from '../parts/page';
import { Answered } from '../parts/states';
import { useSurroundings } from '../parts/surroundings';
import { Pairs } from '../parts/tables';
import { ResourceUse } from './run-resources';

/** What the run ran on, and what it used of it. */
export function EnvironmentTab(props: { run: Run }): React.ReactElement {
  const { run } = props;
  const { trans } = useSurroundings();
  const digest = run.environment_digest;
  const answer = useOperation(
    'runs.get_environment',
    { digest: digest ?? '' },
    { enabled: digest !== null }
  );
  return (
    <>
      {digest === null ? (
        <p className="jp-snapml-quiet">{trans.__('This run recorded no environment.')}</p>
      ) : (
        <Answered answer={answer}>
          {environment => <Machine environment={environment} run={run} />}
        </Answered>
      )}
      <ResourceUse artifacts={run.artifacts} />
      {digest !== null && answer.data !== undefined && (
        <Part title={trans.__('Packages')} note={count(Object.keys(answer.data.packages).length)}>
          <Pairs label={trans.__('Packages')} pairs={Object.entries(answer.data.packages)} />
        </Part>
      )}
    </>
  );
}

function Machine(props: { environment: Environment; run: Run }): React.ReactElement {
  const { environment, run } = props;
  const { trans } = useSurroundings();
  const { git_commit, git_branch, git_dirty, threads, variables } = environment;
  const pairs: [string, React.ReactNode][] = [
    [trans.__('Python'), environment.python_version],
    [trans.__('Platform'), environment.platform],
    [trans.__('Processor'), trans.__('%1 × %2', environment.n_cpus, environment.cpu)],
    [
      trans.__('Git'),
      git_commit === null
        ? trans.__('not in a repository')
        : [git_commit.slice(0, 12), git_branch, git_dirty && trans.__('with changes not committed')]
            .filter(Boolean)
            .join(' ')
    ]
  ];
  const add = (name: string, value: string | null) => {
    if (value) {
      pairs.push([name, value]);
    }
  };
  add(trans.__('Threads'), listed(threads));
  add(trans.__('Kernel'), environment.kernel);
  add(trans.__('Notebook'), run.source.notebook_path);
  add(trans.__('Cell id'), run.source.cell_id);
  add(trans.__('Seed'), seed(run, trans));
  add(trans.__('User'), environment.hub_user ?? run.actor);
  add(trans.__('Variables'), listed(variables));
  return (
    <Part title={trans.__('Machine')}>
      <Pairs label={trans.__('Environment')} pairs={pairs} />
    </Part>
  );
}

/** Without one that was given, a recorded cell keeps where the generators were and what new ones were seeded with. */
function seed(run: Run, trans: TranslationBundle): string | null {
  if (run.seed !== null) {
    return String(run.seed);
  }
  return run.has_program ? trans.__('chosen by SnapML and kept, for the replay') : null;
}

function listed(values: Record<string, string | number>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
}
