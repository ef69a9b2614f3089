import React from 'react';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { DatasetSource, DatasetVersion } from '../api/types';
import { bytes, count } from '../format';
import { useOperation } from '../live/hooks';
import { RefLink } from '../parts/links';
import { Answered } from '../parts/states';
import type { IStatus } from '../parts/status';
import { Status } from '../parts/status';
import { useSurroundings } from '../parts/surroundings';
import { Age } from '../parts/times';

/** Whether a version meets its expectations; undefined while none were checked. */
export function validityOf(version: DatasetVersion, trans: TranslationBundle): IStatus | undefined {
  if (version.validity === null) {
    return undefined;
  }
  return version.validity === 'passed'
    ? { condition: 'good', word: trans.__('meets its expectations') }
    : { condition: 'alert', word: trans.__('fails its expectations') };
}

/** Where the rows came from, in a few words. */
export function sourceText(source: DatasetSource, trans: TranslationBundle): string {
  switch (source.kind) {
    case 'file':
      return trans.__('file %1', source.name);
    case 'folder':
      return trans.__('folder %1', source.name);
    case 'query':
      return trans.__('query %1', source.name);
    case 'upload':
      return trans.__('upload of %1', source.name);
    default: // a variable of the notebook, or the type of what a script gave
      return source.name;
  }
}

/** All versions of the dataset, newest first: what changed, who, from what, and how each was judged. */
export function VersionsTab(props: { version: DatasetVersion }): React.ReactElement {
  const { trans } = useSurroundings();
  const { name, ref } = props.version;
  const answer = useOperation('datasets.list_versions', { name });
  return (
    <Answered answer={answer}>
      {versions => (
        <ol className="jp-snapml-timeline" aria-label={trans.__('Versions of %1', name)}>
          {[...versions]
            .sort((a, b) => b.number - a.number)
            .map(version => (
              <TimelineEntry key={version.ref} version={version} isShown={version.ref === ref} />
            ))}
        </ol>
      )}
    </Answered>
  );
}

function TimelineEntry(props: { version: DatasetVersion; isShown: boolean }): React.ReactElement {
  const { version, isShown } = props;
  const { trans } = useSurroundings();
  const validity = validityOf(version, trans);
  return (
    <li aria-current={isShown || undefined}>
      <div className="jp-snapml-timeline-line">
        {isShown ? <strong>{version.ref}</strong> : <RefLink kind="dataset" to={version.ref} />}
        {version.aliases.map(alias => (
          <span key={alias} className="jp-snapml-chip">
            {alias}
          </span>
        ))}
        {validity && <Status {...validity} showWord={validity.condition === 'alert'} />}
        <span>{version.message ?? ''}</span>
        <Age at={version.created_at} />
      </div>
      <div className="jp-snapml-quiet">
        {[
          trans
            ._n('%1 row', '%1 rows', version.n_rows)
            .replace(String(version.n_rows), count(version.n_rows)),
          trans._n('%1 column', '%1 columns', version.n_columns),
          trans.__('added %1', bytes(version.added_bytes)),
          version.created_by,
          version.source && sourceText(version.source, trans)
        ]
          .filter(Boolean)
          .join(' · ')}
        {version.run_id !== null && (
          <>
            {' · '}
            <RefLink kind="run" to={version.run_id} />
          </>
        )}
      </div>
    </li>
  );
}

/** A picker of one version of a dataset. */
export function VersionSelect(props: {
  label: string;
  versions: readonly DatasetVersion[];
  value: string;
  onChange: (ref: string) => void;
}): React.ReactElement {
  return (
    <label className="jp-snapml-field">
      <span>{props.label}</span>
      <select value={props.value} onChange={event => props.onChange(event.target.value)}>
        {props.versions.map(version => (
          <option key={version.ref} value={version.ref}>
            {[`v${version.number}`, version.aliases.join(', '), version.message]
              .filter(Boolean)
              .join(' · ')}
          </option>
        ))}
      </select>
    </label>
  );
}

/** For tabs that need the list first. */
export function useVersions(name: string) {
  return useOperation('datasets.list_versions', { name });
}
