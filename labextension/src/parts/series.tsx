import React from 'react';

// Okabe and Ito's colours without yellow and black: told apart with any colour vision, readable on light and dark.
const COLOURS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00'];
/** Where colours come again, lines are broken in another way. */
const DASHES: (number[] | undefined)[] = [undefined, [8, 4], [2, 3], [10, 3, 2, 3]];

/** The colour of the series at this place. */
export function seriesColour(place: number): string {
  return COLOURS[place % COLOURS.length];
}

/** How its line is broken; undefined for a whole one. */
export function seriesDash(place: number): number[] | undefined {
  return DASHES[Math.floor(place / COLOURS.length) % DASHES.length];
}

/** A bit of the line of the series at this place. */
export function Swatch(props: { place: number }): React.ReactElement {
  return (
    <svg className="jp-snapml-swatch" width="18" height="8" aria-hidden="true">
      <line
        x1="0"
        x2="18"
        y1="4"
        y2="4"
        stroke={seriesColour(props.place)}
        strokeWidth="3"
        strokeDasharray={seriesDash(props.place)?.join(' ')}
      />
    </svg>
  );
}
