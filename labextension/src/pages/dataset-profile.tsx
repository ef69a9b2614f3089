import React from 'react';
import type { ColumnProfile, DatasetProfile, DatasetVersion } from '../api/types';
import { count, metric, NOTHING, percent, toNumber } from '../format';
import { useOperation } from '../live/hooks';
import { Histogram } from '../parts/histogram';
import { Answered } from '../parts/states';
import { useSurroundings } from '../parts/surroundings';
import { Table } from '../parts/tables';

/** One row a column: type, missing and distinct values, range, a small histogram. */
export function ProfileTab(props: { version: DatasetVersion }): React.ReactElement {
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

export function ProfileTable(props: {
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
