import { demandQuery, demandView, hoursQuery, surgeView } from '../../contracts/api/analytics';

test('answers may have more fields than their reader knows: not all processes are upgraded at once', () => {
  const counts = { requested: 1, completed: 0, cancelled: 0, noDriver: 0, assigned: 0, freed: 0 };
  const row = { cell: '882a100d2bfffff', minute: '2026-01-01T12:00:00.000Z', ...counts };
  expect(demandView.parse({ cells: [{ ...row, shared: 3 }], late: 0, asOf: row.minute })).toEqual({
    cells: [row],
    late: 0,
  });
  const surge = { cell: row.cell, multiplier: 1.5, validUntil: row.minute };
  expect(surgeView.parse({ surges: [{ ...surge, smoothed: 1.4 }] })).toEqual({ surges: [surge] });
});

test('what is asked may not', () => {
  for (const query of [demandQuery, hoursQuery])
    expect(query.safeParse({ colour: 'red' }).success).toBe(false);
});
