import React from 'react';
import type { Signature } from '../api/types';
import { scalar } from '../format';
import { Part } from '../parts/page';
import { useSurroundings } from '../parts/surroundings';
import { Table } from '../parts/tables';

/** What goes into a model and what comes out. */
export function SignatureTable(props: { signature: Signature }): React.ReactElement {
  const { trans } = useSurroundings();
  const { signature } = props;
  const answers =
    signature.task === 'classification'
      ? trans.__('answers one of %1', (signature.labels ?? []).map(scalar).join(', '))
      : signature.task === 'regression'
        ? trans.__('answers a number')
        : '';
  return (
    <Part title={trans.__('Signature')} note={[signature.task, answers].filter(Boolean).join(', ')}>
      <Table
        label={trans.__('Signature')}
        columns={[
          { label: trans.__('Column') },
          { label: trans.__('Type') },
          { label: trans.__('May be missing') },
          { label: trans.__('Example') }
        ]}
        rows={signature.inputs.map(column => [
          <code key="name">{column.name}</code>,
          column.kind,
          column.nullable ? trans.__('yes') : trans.__('no'),
          scalar(column.example)
        ])}
      />
    </Part>
  );
}
