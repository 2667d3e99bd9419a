import type { ProblemPage } from './problemPage';

/** How refusals for a person's erasure are answered. */
export const erasureProblems = {
  subject_erased: {
    status: 410,
    title: 'Erased',
    description:
      'The personal data of this account was erased on request: nothing can be booked with it any more.',
  },
  erasure_not_possible: {
    status: 409,
    title: 'Not yet',
    description:
      'Something of this person is still under way: `blockers` says what. Ask again when it has ended; nothing was erased.',
  },
} as const satisfies Record<string, ProblemPage>;
