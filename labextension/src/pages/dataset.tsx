import { InputDialog, showErrorMessage } from '@jupyterlab/apputils';
import React from 'react';
import { sentence } from '../api/errors';
import type { DatasetVersion } from '../api/types';
import { bytes, count } from '../format';
import { useOperation } from '../live/hooks';
import { LineageTab } from '../parts/lineage';
import { RefLink, RefLinks } from '../parts/links';
import { Page } from '../parts/page';
import { Answered } from '../parts/states';
import type { ISurroundings } from '../parts/surroundings';
import { useSurroundings } from '../parts/surroundings';
import { Age } from '../parts/times';
import { CommandIDs } from '../tokens';
import { DiffTab } from './dataset-diff';
import { ProfileTab } from './dataset-profile';
import { RowsTab } from './dataset-rows';
import { ValidationTab } from './dataset-validation';
import { sourceText, validityOf, VersionsTab } from './dataset-versions';

export function DatasetPage(props: { reference: string }): React.ReactElement {
  const answer = useOperation('datasets.get_version', { ref: props.reference });
  return <Answered answer={answer}>{version => <Shown version={version} />}</Answered>;
}

function Shown(props: { version: DatasetVersion }): React.ReactElement {
  const { version } = props;
  const surroundings = useSurroundings();
  const { trans, commands } = surroundings;
  return (
    <Page
      title={trans.__('%1, version %2', version.name, version.number)}
      reference={version.ref}
      status={validityOf(version, trans)}
      facts={useFacts(version)}
      actions={
        <>
          <button
            type="button"
            className="jp-mod-styled"
            onClick={() => void addAlias(version, surroundings)}
          >
            {trans.__('Alias…')}
          </button>
          <button
            type="button"
            className="jp-mod-styled jp-mod-accept"
            onClick={() =>
              void commands.execute(CommandIDs.insertCell, { kind: 'dataset', ref: version.ref })
            }
          >
            {trans.__('Insert as cell')}
          </button>
        </>
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
        { id: 'diff', label: trans.__('Compare'), render: () => <DiffTab version={version} /> },
        {
          id: 'validation',
          label: trans.__('Validation'),
          render: () => <ValidationTab version={version} />
        },
        {
          id: 'lineage',
          label: trans.__('Lineage'),
          render: () => <LineageTab kind="dataset" reference={version.ref} />
        }
      ]}
    />
  );
}

function useFacts(version: DatasetVersion): [string, React.ReactNode][] {
  const { trans } = useSurroundings();
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
  if (version.source !== null) {
    facts.push([
      trans.__('From'),
      <span key="source" title={version.source.detail ?? undefined}>
        {sourceText(version.source, trans)}
      </span>
    ]);
  }
  if (version.derived_from.length > 0) {
    facts.push([
      trans.__('Made of'),
      <RefLinks key="derived" kind="dataset" to={version.derived_from} />
    ]);
  }
  if (version.parent_ref !== null) {
    facts.push([
      trans.__('After'),
      <RefLink key="parent" kind="dataset" to={version.parent_ref} />
    ]);
  }
  if (version.run_id !== null) {
    facts.push([trans.__('Kept by run'), <RefLink key="run" kind="run" to={version.run_id} />]);
  }
  if (version.aliases.length > 0) {
    facts.push([trans.__('Aliases'), <Aliases key="aliases" version={version} />]);
  }
  return facts;
}

function Aliases(props: { version: DatasetVersion }): React.ReactElement {
  const { name, aliases } = props.version;
  const { snapml, trans } = useSurroundings();
  const remove = async (alias: string) => {
    try {
      await snapml.client.call('datasets.remove_alias', { name, alias });
    } catch (error) {
      await showErrorMessage(trans.__('The alias stays'), sentence(error, trans));
    }
  };
  return (
    <>
      {aliases.map(alias => (
        <button
          key={alias}
          type="button"
          className="jp-snapml-chip"
          title={trans.__('Remove the alias %1', alias)}
          onClick={() => void remove(alias)}
        >
          {alias} <span aria-hidden="true">✕</span>
        </button>
      ))}
    </>
  );
}

async function addAlias(version: DatasetVersion, surroundings: ISurroundings): Promise<void> {
  const { snapml, trans } = surroundings;
  const { value } = await InputDialog.getText({
    title: trans.__('A name for %1', version.ref),
    label: trans.__(
      'For example "approved": %1@approved is then this version, until the name is moved:',
      version.name
    ),
    okLabel: trans.__('Set')
  });
  if (!value) {
    return;
  }
  try {
    await snapml.client.call('datasets.set_alias', { ref: version.ref, alias: value.trim() });
  } catch (error) {
    await showErrorMessage(trans.__('No alias was set'), sentence(error, trans));
  }
}
