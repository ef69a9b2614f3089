import React from 'react';

export interface IColumn {
  label: string;
  /** Numbers stand at the right in tabular figures. */
  isNumber?: boolean;
  /** Sentences, which may take several lines. */
  isText?: boolean;
}

/** A plain table; the first cell of a row is its heading. */
export function Table(props: {
  label: string;
  columns: readonly IColumn[];
  rows: readonly (readonly React.ReactNode[])[];
  rowKeys?: readonly string[];
}): React.ReactElement {
  return (
    <div className="jp-snapml-table-scroll" tabIndex={0} role="group" aria-label={props.label}>
      <table className="jp-snapml-table" aria-label={props.label}>
        <thead>
          <tr>
            {props.columns.map((column, i) => (
              <th key={i} scope="col" data-number={column.isNumber || undefined}>
                {column.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {props.rows.map((row, r) => (
            <tr key={props.rowKeys?.[r] ?? r}>
              {row.map((cell, c) =>
                c === 0 ? (
                  <th key={c} scope="row" data-number={props.columns[c]?.isNumber || undefined}>
                    {cell}
                  </th>
                ) : (
                  <td
                    key={c}
                    data-number={props.columns[c]?.isNumber || undefined}
                    data-text={props.columns[c]?.isText || undefined}
                  >
                    {cell}
                  </td>
                )
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Names and values, one pair a line. */
export function Pairs(props: {
  label: string;
  pairs: readonly (readonly [string, React.ReactNode])[];
}): React.ReactElement {
  return (
    <dl className="jp-snapml-pairs" aria-label={props.label}>
      {props.pairs.map(([name, value]) => (
        <React.Fragment key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </React.Fragment>
      ))}
    </dl>
  );
}
