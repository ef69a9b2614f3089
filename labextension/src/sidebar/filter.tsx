import { searchIcon } from '@jupyterlab/ui-components';
import React, { useId } from 'react';
import type { SnapMLError } from '../api/errors';
import { sentence } from '../api/errors';
import { useSurroundings } from '../parts/surroundings';

/** Filters all sections as you type; Escape clears it. Below it stands why it cannot be read, where it cannot. */
export function FilterBox(props: {
  value: string;
  misread: SnapMLError | undefined;
  onChange: (value: string) => void;
}): React.ReactElement {
  const { trans } = useSurroundings();
  const said = useId();
  const { misread } = props;
  return (
    <>
      <div className="jp-snapml-filter" data-misread={misread !== undefined || undefined}>
        <searchIcon.react tag="span" width="16px" height="16px" />
        <input
          type="search"
          value={props.value}
          spellCheck={false}
          placeholder={trans.__('Words or metrics.auc>0.8')}
          title={trans.__(
            'Words filter everything. Conditions filter runs: metrics.auc > 0.8 and params.depth = 6'
          )}
          aria-label={trans.__('Filter everything in this panel')}
          aria-invalid={misread !== undefined}
          aria-describedby={said}
          onChange={event => props.onChange(event.target.value)}
          onKeyDown={event => {
            if (event.key === 'Escape') {
              props.onChange('');
            }
          }}
        />
      </div>
      <div id={said} className="jp-snapml-misread" role="status">
        {misread && sentence(misread, trans)}
      </div>
    </>
  );
}
