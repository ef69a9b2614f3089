import React from 'react';
import type { ColumnProfile, DatasetProfile, DatasetVersion, TablePage } from '../api/types';
import { bytes, count, metric, NOTHING, percent, scalar, toNumber } from '../format';
import { useOperation } from '../live/hooks';
import { Histogram } from '../parts/histogram';
import { RefLink } from '../parts/links';
import { Page, Part } from '../parts/page';
import { Answered } from '../parts/states';
import { useSurroundings } from '../parts/surroundings';
import { Table } from '../parts/tables';
import { Age } from '../parts/times';
import { CommandIDs } from '../tokens';

const SHOWN_ROWS = 200;

export function DatasetPage(props: { reference: string }): React.ReactElement {
  const answer = useOperation('datasets.get_version', { ref: props.reference });
  return <Answered answer={answer}>{version => <Shown version={version} />}</Answered>;
}

function Shown(props: { version: DatasetVersion }): React.ReactElement {
  const { version } = props;
  const { trans, commands } = useSurroundings();
  const facts: [string, React.ReactNode][] = [
    [trans.__('Kept'), <Age key="at" at={version.created_at} />],
    [trans.__('By'), version.created_by],
    [trans.__('Rows'), count(version.n_rows)],
    [trans.__('Columns'), count(version.n_columns)],
    [
      trans.__('Size'),
      <span key="size" title={trans.__('What this version added to the store')}>
        {trans.__('%1, added %2', bytes(version.size_bytes), bytes(version.added_bytes))}
      </span>
    ]
  ];
  if (version.parent_ref !== null) {
    facts.push([
      trans.__('After'),
      <RefLink key="parent" kind="dataset" to={version.parent_ref} />
    ]);
  }
  if (version.run_id !== null) {
    facts.push([trans.__('Kept by run'), <RefLink key="run" kind="run" to={version.run_id} />]);
  }
  return (
    <Page
      title={trans.__('%1, version %2', version.name, version.number)}
      reference={version.ref}
      facts={facts}
      actions={
        <button
          type="button"
          className="jp-mod-styled jp-mod-accept"
          onClick={() =>
            void commands.execute(CommandIDs.insertCell, { kind: 'dataset', ref: version.ref })
          }
        >
          {trans.__('Insert as cell')}
        </button>
      }
      tabs={[
        {
          id: 'profile',
          label: trans.__('Schema and profile'),
          render: () => <ProfileTab version={version} />
        },
        { id: 'rows', label: trans.__('Rows'), render: () => <RowsTab version={version} /> },
        {
          id: 'versions',
          label: trans.__('Versions'),
          render: () => <VersionsTab version={version} />
        },
        { id: 'used', label: trans.__('Used by'), render: () => <UsedTab version={version} /> }
      ]}
    />
  );
}

function ProfileTab(props: { version: DatasetVersion }): React.ReactElement {
  const { version } = props;
  const answer = useOperation('datasets.get_profile', { ref: version.ref });
  return (
    <>
      {version.message && <p className="jp-snapml-note">{version.message}</p>}
      <Answered answer={answer} skeletonRows={Math.min(12, version.n_columns)}>
        {profile => <ProfileTable version={version} profile={profile} />}
      </Answered>
    </>
  );
}

function ProfileTable(props: {
  version: DatasetVersion;
  profile: DatasetProfile;
}): React.ReactElement {
  const { trans } = useSurroundings();
  const profiles = new Map(props.profile.columns.map(column => [column.name, column]));
  const { sampled_rows: sampled } = props.profile;
  return (
    <>
      {sampled !== null && (
        <p className="jp-snapml-quiet">
          {trans.__('From a sample of %1 of %2 rows.', count(sampled), count(props.profile.n_rows))}
        </p>
      )}
      <Table
        label={trans.__('Schema and profile of %1', props.version.ref)}
        columns={[
          { label: trans.__('Column') },
          { label: trans.__('Type') },
          { label: trans.__('Missing'), isNumber: true },
          { label: trans.__('Distinct'), isNumber: true },
          { label: trans.__('Minimum'), isNumber: true },
          { label: trans.__('Median'), isNumber: true },
          { label: trans.__('Maximum'), isNumber: true },
          { label: trans.__('Distribution') }
        ]}
        rowKeys={props.version.columns.map(column => column.name)}
        rows={props.version.columns.map(column => {
          const profile = profiles.get(column.name);
          return [
            <span key="name">
              <code>{column.name}</code>
              {column.is_index && <span className="jp-snapml-chip">{trans.__('index')}</span>}
            </span>,
            <span key="type" title={trans.__('%1 in pandas', column.dtype)}>
              {column.type}
            </span>,
            ...(profile ? figures(profile) : [NOTHING, NOTHING, NOTHING, NOTHING, NOTHING]),
            profile ? <Histogram key="distribution" profile={profile} /> : NOTHING
          ];
        })}
      />
    </>
  );
}

function figures(profile: ColumnProfile): React.ReactNode[] {
  const share = profile.n_rows > 0 ? profile.n_nulls / profile.n_rows : 0;
  return [
    <span key="missing" title={count(profile.n_nulls)}>
      {profile.n_nulls === 0 ? '0' : percent(share)}
    </span>,
    count(toNumber(profile.n_distinct) ?? 0),
    profile.minimum_text ?? metric(profile.minimum),
    profile.minimum_text === null ? metric(profile.median) : NOTHING,
    profile.maximum_text ?? metric(profile.maximum)
  ];
}

function RowsTab(props: { version: DatasetVersion }): React.ReactElement {
  const { trans } = useSurroundings();
  const answer = useOperation('datasets.get_rows', { ref: props.version.ref, limit: SHOWN_ROWS });
  return (
    <Answered answer={answer} skeletonRows={12}>
      {page => (
        <>
          <p className="jp-snapml-quiet">
            {trans.__('The first %1 of %2 rows.', count(page.rows.length), count(page.n_rows))}
          </p>
          <Rows page={page} />
        </>
      )}
    </Answered>
  );
}

function Rows(props: { page: TablePage }): React.ReactElement {
  const { trans } = useSurroundings();
  const { page } = props;
  return (
    <Table
      label={trans.__('Rows of %1', page.dataset_ref)}
      columns={[
        { label: '', isNumber: true },
        ...page.columns.map((label, i) => ({
          label,
          isNumber: page.rows.some(row => typeof row[i] === 'number')
        }))
      ]}
      rows={page.rows.map((row, i) => [
        count(page.offset + i),
        ...row.map((value, c) => (
          <span
            key={c}
            className={value === null ? 'jp-snapml-quiet' : undefined}
            title={typeof value === 'number' ? String(value) : undefined}
          >
            {typeof value === 'number' ? String(Number(value.toPrecision(7))) : scalar(value)}
          </span>
        ))
      ])}
    />
  );
}

function VersionsTab(props: { version: DatasetVersion }): React.ReactElement {
  const { trans } = useSurroundings();
  const answer = useOperation('datasets.list_versions', { name: props.version.name });
  return (
    <Answered answer={answer}>
      {versions => (
        <Table
          label={trans.__('Versions of %1', props.version.name)}
          columns={[
            { label: trans.__('Version') },
            { label: trans.__('Kept') },
            { label: trans.__('By') },
            { label: trans.__('Rows'), isNumber: true },
            { label: trans.__('Added'), isNumber: true },
            { label: trans.__('Message'), isText: true }
          ]}
          rowKeys={versions.map(version => version.ref)}
          rows={versions.map(version => [
            <RefLink key="ref" kind="dataset" to={version.ref} />,
            <Age key="at" at={version.created_at} />,
            version.created_by,
            count(version.n_rows),
            bytes(version.added_bytes),
            version.message ?? ''
          ])}
        />
      )}
    </Answered>
  );
}

/** Runs that read this version and models that came of it. */
function UsedTab(props: { version: DatasetVersion }): React.ReactElement {
  const { trans } = useSurroundings();
  const { ref } = props.version;
  const runs = useOperation('runs.list_runs', { limit: 1000 });
  const models = useOperation('registry.list_models', {});
  return (
    <>
      <Part title={trans.__('Runs that read it')}>
        <Answered answer={runs}>
          {all => {
            const readers = all.filter(run => run.inputs.some(input => input.dataset_ref === ref));
            return readers.length === 0 ? (
              <p className="jp-snapml-quiet">{trans.__('None of the newest 1000 runs.')}</p>
            ) : (
              <Table
                label={trans.__('Runs that read it')}
                columns={[{ label: trans.__('Run') }, { label: trans.__('Started') }]}
                rows={readers.map(run => [
                  <RefLink key="run" kind="run" to={run.run_id}>
                    {run.name}
                  </RefLink>,
                  <Age key="at" at={run.started_at} />
                ])}
              />
            );
          }}
        </Answered>
      </Part>
      <Part title={trans.__('Models trained on it')}>
        <Answered answer={models}>
          {all => {
            const versions = all
              .flatMap(model => [model.latest, ...(model.champion ? [model.champion] : [])])
              .filter((v, i, list) => list.findIndex(other => other.ref === v.ref) === i)
              .filter(v => v.dataset_refs.includes(ref));
            return versions.length === 0 ? (
              <p className="jp-snapml-quiet">
                {trans.__('No newest or champion version of a model.')}
              </p>
            ) : (
              <ul>
                {versions.map(version => (
                  <li key={version.ref}>
                    <RefLink kind="model" to={version.ref} />
                  </li>
                ))}
              </ul>
            );
          }}
        </Answered>
      </Part>
    </>
  );
}
