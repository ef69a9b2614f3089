import React, { useState } from 'react';
import type {
  ColumnDiff,
  ColumnFigures,
  DatasetDiff,
  DatasetVersion,
  RowChange
} from '../api/types';
import { bytes, count, metric, NOTHING, percent } from '../format';
import { useOperation } from '../live/hooks';
import { BigNumbers, Part } from '../parts/page';
import { Answered } from '../parts/states';
import { useSurroundings } from '../parts/surroundings';
import { Table } from '../parts/tables';
import { CellValue } from './dataset-rows';
import { useVersions, VersionSelect } from './dataset-versions';

const SHOWN_CHANGES = 50;

/** What differs between any two versions of the dataset. */
export function DiffTab(props: { version: DatasetVersion }): React.ReactElement {
  const { trans } = useSurroundings();
  const versions = useVersions(props.version.name);
  return (
    <Answered answer={versions}>
      {all =>
        all.length < 2 ? (
          <p className="jp-snapml-quiet">
            {trans.__('There is one version. Keep another one to see what changed.')}
          </p>
        ) : (
          <Compared version={props.version} versions={all} />
        )
      }
    </Answered>
  );
}

function Compared(props: {
  version: DatasetVersion;
  versions: readonly DatasetVersion[];
}): React.ReactElement {
  const { trans } = useSurroundings();
  const sorted = [...props.versions].sort((a, b) => b.number - a.number);
  const here = props.version;
  const older = sorted.find(version => version.number < here.number);
  const [before, setBefore] = useState(here.parent_ref ?? older?.ref ?? here.ref);
  const [after, setAfter] = useState(here.ref);
  const [keys, setKeys] = useState<readonly string[]>([]);
  const known = sorted.some(version => version.ref === before) ? before : sorted[0].ref;
  const columns = here.columns.map(column => column.name);
  const answer = useOperation('datasets.diff_versions', {
    before: known,
    after,
    keys: keys.length > 0 ? [...keys] : null,
    limit: SHOWN_CHANGES
  });
  return (
    <>
      <div className="jp-snapml-toolbar">
        <VersionSelect
          label={trans.__('Before')}
          versions={sorted}
          value={known}
          onChange={setBefore}
        />
        <button
          type="button"
          className="jp-mod-styled"
          onClick={() => {
            setBefore(after);
            setAfter(known);
          }}
        >
          {trans.__('Swap')}
        </button>
        <VersionSelect
          label={trans.__('After')}
          versions={sorted}
          value={after}
          onChange={setAfter}
        />
        <KeyPicker columns={columns} keys={keys} onChange={setKeys} />
      </div>
      <Answered answer={answer} skeletonRows={8}>
        {diff => <Difference diff={diff} />}
      </Answered>
    </>
  );
}

/** Which columns say that two rows are the same one. */
function KeyPicker(props: {
  columns: readonly string[];
  keys: readonly string[];
  onChange: (keys: readonly string[]) => void;
}): React.ReactElement {
  const { trans } = useSurroundings();
  const { columns, keys, onChange } = props;
  return (
    <fieldset className="jp-snapml-keys">
      <legend>{trans.__('Rows are the same by')}</legend>
      {keys.map(key => (
        <button
          key={key}
          type="button"
          className="jp-snapml-chip"
          title={trans.__('Take %1 out of the key', key)}
          onClick={() => onChange(keys.filter(other => other !== key))}
        >
          {key} <span aria-hidden="true">✕</span>
        </button>
      ))}
      <select
        aria-label={trans.__('Add a key column')}
        value=""
        onChange={event => onChange([...keys, event.target.value])}
      >
        <option value="">
          {keys.length === 0 ? trans.__('their whole content') : trans.__('and…')}
        </option>
        {columns
          .filter(name => !keys.includes(name))
          .map(name => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
      </select>
    </fieldset>
  );
}

function Difference(props: { diff: DatasetDiff }): React.ReactElement {
  const { diff } = props;
  const { trans } = useSurroundings();
  const nChunks = diff.n_chunks_shared + diff.n_chunks_read;
  return (
    <>
      {diff.is_same && (
        <p className="jp-snapml-note" role="status">
          {trans.__('%1 and %2 hold the same data.', diff.before_ref, diff.after_ref)}
        </p>
      )}
      <BigNumbers
        label={trans.__('Rows that differ')}
        numbers={[
          {
            name: trans.__('Rows'),
            value: count(diff.n_rows_after),
            beside: trans.__('%1 before', count(diff.n_rows_before))
          },
          { name: trans.__('Added'), value: count(diff.n_added) },
          { name: trans.__('Removed'), value: count(diff.n_removed) },
          ...(diff.keys.length > 0
            ? [{ name: trans.__('Changed'), value: count(diff.n_changed) }]
            : [])
        ]}
      />
      {diff.schema_changes.length > 0 && (
        <Part title={trans.__('Schema')}>
          <Table
            label={trans.__('Changes of the schema')}
            columns={[
              { label: trans.__('Column') },
              { label: trans.__('Change') },
              { label: trans.__('Before') },
              { label: trans.__('After') }
            ]}
            rows={diff.schema_changes.map(change => [
              <code key="column">{change.column}</code>,
              change.change,
              change.before ?? NOTHING,
              change.after ?? NOTHING
            ])}
          />
        </Part>
      )}
      {!diff.is_same && <Columns diff={diff} />}
      {diff.sample.length > 0 && <Changes diff={diff} />}
      <p className="jp-snapml-quiet">
        {trans.__(
          '%1 of %2 chunks are shared and were not read; %3 were read.',
          count(diff.n_chunks_shared),
          count(nChunks),
          bytes(diff.bytes_read)
        )}
      </p>
    </>
  );
}

function Columns(props: { diff: DatasetDiff }): React.ReactElement {
  const { trans } = useSurroundings();
  const { diff } = props;
  const [all, setAll] = useState(false);
  const differing = diff.columns.filter(column => !column.is_same);
  const shown = all ? diff.columns : differing;
  return (
    <Part
      title={trans.__('Columns')}
      note={trans.__('%1 of %2 differ', differing.length, diff.columns.length)}
    >
      <Table
        label={trans.__('Columns before and after')}
        columns={[
          { label: trans.__('Column') },
          { label: trans.__('Type') },
          { label: trans.__('Values changed'), isNumber: true },
          { label: trans.__('Missing'), isNumber: true },
          { label: trans.__('Mean'), isNumber: true },
          { label: trans.__('Std. dev.'), isNumber: true },
          { label: trans.__('Minimum'), isNumber: true },
          { label: trans.__('Maximum'), isNumber: true }
        ]}
        rowKeys={shown.map(column => column.name)}
        rows={shown.map(column => [
          <code key="name">{column.name}</code>,
          column.type,
          column.n_changed === null ? NOTHING : count(column.n_changed),
          ...FIGURES.map((figure, i) => <Pair key={i} column={column} figure={figure} />)
        ])}
      />
      {differing.length < diff.columns.length && (
        <button type="button" className="jp-snapml-link" onClick={() => setAll(!all)}>
          {all ? trans.__('Only the columns that differ') : trans.__('All columns')}
        </button>
      )}
    </Part>
  );
}

type Figure = (figures: ColumnFigures) => string;

const FIGURES: readonly Figure[] = [
  figures => (figures.n_nulls === 0 ? '0' : percent(figures.n_nulls / Math.max(1, figures.n_rows))),
  figures => metric(figures.mean),
  figures => metric(figures.standard_deviation),
  figures => figures.minimum_text ?? metric(figures.minimum),
  figures => figures.maximum_text ?? metric(figures.maximum)
];

/** `before → after`, or one figure where both are the same. */
function Pair(props: { column: ColumnDiff; figure: Figure }): React.ReactElement {
  const { before, after } = props.column;
  const was = before ? props.figure(before) : NOTHING;
  const is = after ? props.figure(after) : NOTHING;
  if (was === is) {
    return <span className="jp-snapml-quiet">{is}</span>;
  }
  return (
    <span>
      <span className="jp-snapml-quiet">{was} → </span>
      {is}
    </span>
  );
}

const MARKS: Record<string, string> = { added: '+', removed: '−', changed: '~' };

function Changes(props: { diff: DatasetDiff }): React.ReactElement {
  const { trans } = useSurroundings();
  const { diff } = props;
  const total = diff.n_added + diff.n_removed + diff.n_changed;
  const words: Record<string, string> = {
    added: trans.__('added'),
    removed: trans.__('removed'),
    changed: trans.__('changed')
  };
  return (
    <Part
      title={trans.__('First rows that differ')}
      note={trans.__('%1 of %2', count(diff.sample.length), count(total))}
    >
      <Table
        label={trans.__('First rows that differ')}
        columns={[
          { label: '' },
          { label: trans.__('Row'), isNumber: true },
          ...diff.sample_columns.map(label => ({ label }))
        ]}
        rows={diff.sample.map(change => [
          <span key="change" className="jp-snapml-change" data-change={change.change}>
            <span aria-hidden="true">{MARKS[change.change]}</span> {words[change.change]}
          </span>,
          count(change.row_after ?? change.row_before ?? 0),
          ...diff.sample_columns.map((_, i) => <ChangedCell key={i} change={change} index={i} />)
        ])}
      />
    </Part>
  );
}

function ChangedCell(props: { change: RowChange; index: number }): React.ReactElement {
  const { before, after } = props.change;
  if (before === null || after === null) {
    return <CellValue value={(after ?? before)?.[props.index] ?? null} />;
  }
  const was = before[props.index] ?? null;
  const is = after[props.index] ?? null;
  if (JSON.stringify(was) === JSON.stringify(is)) {
    return (
      <span className="jp-snapml-quiet">
        <CellValue value={is} />
      </span>
    );
  }
  return (
    <span className="jp-snapml-changed">
      <del>
        <CellValue value={was} />
      </del>{' '}
      <ins>
        <CellValue value={is} />
      </ins>
    </span>
  );
}
