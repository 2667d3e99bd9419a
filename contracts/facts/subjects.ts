import { z } from 'zod';
import { subjectId } from '../shared';

/** What happened to a person's data. */
export const subjectFacts = {
  'subject.erased': z
    .object({
      subjectId: subjectId.describe('whose key is gone: what is sealed with it is unreadable from now on'),
    })
    .describe('The personal data of a rider or a driver was erased.'),
};
