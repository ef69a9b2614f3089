import React from 'react';
import type { MissingValue, Run } from '../api/types';
import { bytes, count } from '../format';
import { useOperation } from '../live/hooks';
import { Code } from '../parts/code';
import { RefLink } from '../parts/links';
import { Part } from '../parts/page';
import { Answered } from '../parts/states';
import { useSurroundings } from '../parts/surroundings';
import { Table } from '../parts/tables';

/** The cell, and what was captured with it so that it can run again. */
export function CodeTab(props: { run: Run }): React.ReactElement {
  const { trans } = useSurroundings();
  const { source, error, has_program, run_id } = props.run;
  return (
    <>
      {source.code === null ? (
        <p className="jp-snapml-quiet">{trans.__('This run recorded no code.')}</p>
      ) : (
        <Code
          text={source.code}
          label={trans.__('The cell as it was run')}
          markedLine={error?.line}
        />
      )}
      {has_program && <Captured runId={run_id} />}
    </>
  );
}

function Captured(props: { runId: string }): React.ReactElement {
  const { trans } = useSurroundings();
  const program = useOperation('runs.get_program', { ref: props.runId });
  const source = useOperation('runs.get_program_source', { ref: props.runId });
  return (
    <>
      <Answered answer={program}>
        {({ missing, tables, files, state_names, state_bytes }) => (
          <>
            <Part
              title={trans.__('Not captured')}
              note={missing.length > 0 ? count(missing.length) : undefined}
            >
              <NotCaptured missing={missing} />
            </Part>
            {tables.length + files.length + state_names.length > 0 && (
              <Part title={trans.__('Captured beside the code')}>
                <Table
                  label={trans.__('Captured beside the code')}
                  columns={[{ label: trans.__('Name') }, { label: trans.__('Kept as') }]}
                  rows={[
                    ...tables.map(table => [
                      <code key="name">{table.place}</code>,
                      <RefLink key="ref" kind="dataset" to={table.dataset_ref} />
                    ]),
                    ...files.map(file => [
                      <code key="name">{file.path}</code>,
                      trans.__('file, %1', bytes(file.size_bytes))
                    ]),
                    ...state_names
                      .filter(name => tables.every(table => table.place !== name))
                      .map(name => [<code key="name">{name}</code>, trans.__('by value')])
                  ]}
                />
                {state_bytes > 0 && (
                  <p className="jp-snapml-quiet">
                    {trans.__('Values take %1 together.', bytes(state_bytes))}
                  </p>
                )}
              </Part>
            )}
          </>
        )}
      </Answered>
      <Part title={trans.__('The whole program')}>
        <Answered answer={source} skeletonRows={8}>
          {text => (
            <Code
              text={text.replace(/\n$/, '')}
              label={trans.__('The cell with what it needs to run again')}
            />
          )}
        </Answered>
      </Part>
    </>
  );
}

/** What a replay has to do without, and why. */
export function NotCaptured(props: { missing: readonly MissingValue[] }): React.ReactElement {
  const { trans } = useSurroundings();
  if (props.missing.length === 0) {
    return (
      <p className="jp-snapml-quiet">{trans.__('Everything that the cell reads was captured.')}</p>
    );
  }
  return (
    <Table
      label={trans.__('Not captured')}
      columns={[
        { label: trans.__('Name') },
        { label: trans.__('Line'), isNumber: true },
        { label: trans.__('Type') },
        { label: trans.__('Why'), isText: true }
      ]}
      rows={props.missing.map(missing => [
        <code key="name">{missing.name}</code>,
        missing.line === null ? '' : String(missing.line),
        missing.type,
        missing.reason
      ])}
    />
  );
}
