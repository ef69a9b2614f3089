import { searchIcon } from '@jupyterlab/ui-components';
import React from 'react';
import { useSurroundings } from '../parts/surroundings';

/** Filters all sections as you type; Escape clears it. */
export function FilterBox(props: {
  value: string;
  onChange: (value: string) => void;
}): React.ReactElement {
  const { trans } = useSurroundings();
  return (
    <div className="jp-snapml-filter">
      <searchIcon.react tag="span" width="16px" height="16px" />
      <input
        type="search"
        value={props.value}
        spellCheck={false}
        placeholder={trans.__('Filter runs, data, models…')}
        aria-label={trans.__('Filter everything in this panel')}
        onChange={event => props.onChange(event.target.value)}
        onKeyDown={event => {
          if (event.key === 'Escape') {
            props.onChange('');
          }
        }}
      />
    </div>
  );
}
