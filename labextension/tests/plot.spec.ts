import { timeRange } from '../src/parts/plot';

describe('timeRange', () => {
  it('is what the chart asks for when there are several times', () => {
    expect(timeRange([100, 200, 300], 100, 300)).toEqual([100, 300]);
    expect(timeRange([100, 200, 300], 150, 200)).toEqual([150, 200]);
  });

  it('puts a single time into the middle of two minutes', () => {
    expect(timeRange([1000], 1000, 86_401_000)).toEqual([940, 1060]);
    expect(timeRange([1000, 1000], 1000, 1000)).toEqual([940, 1060]);
  });

  it('has nothing to say without times', () => {
    expect(timeRange([], 0, 1)).toEqual([0, 1]);
  });
});
