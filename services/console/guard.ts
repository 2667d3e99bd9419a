import { isIP } from 'node:net';
import type { RequestHandler } from 'express';
import { CodedError } from '../../platform/errors';
import type { ProblemTable } from '../../platform/http';

export const guardProblems = {
  host_unknown: {
    status: 421,
    title: 'Not an address of the console',
    description:
      'The console answers at localhost, at IP addresses, and at the names in HAILWAY_CONSOLE_HOSTS: a page elsewhere ' +
      'could otherwise read it in an operator’s browser, by a name of its own that leads here.',
  },
  cross_site: {
    status: 403,
    title: 'Asked for by another site’s page',
    description: 'This is for the console’s own pages. Open the console itself.',
  },
} as const satisfies ProblemTable;

/** The names in HAILWAY_CONSOLE_HOSTS. */
export const hostsIn = (list: string): string[] => list.split(',').flatMap((name) => name.trim() || []);

/** Lets those requests through that name an IP address, localhost, or one of `names` as their host, with any port. */
export function onlyAt(names: readonly string[]): RequestHandler {
  const known = new Set(['localhost', ...names.map((name) => name.toLowerCase())]);
  return (req, _res, next) => {
    const host = (req.headers.host ?? '').replace(/:\d*$/, '').toLowerCase();
    if (!known.has(host) && isIP(host.replace(/^\[(.*)\]$/, '$1')) === 0)
      throw new CodedError('host_unknown', 'the console is not known by this name');
    next();
  };
}

/** For data: refuses what a browser asks for on behalf of another site. Links to pages stay possible. */
export const notCrossSite: RequestHandler = (req, _res, next) => {
  if (req.headers['sec-fetch-site'] === 'cross-site')
    throw new CodedError('cross_site', 'another site’s page asked for this');
  next();
};
