/*
 * kafkajs, with our parts in place of those that it has itself: whoever in the house wants it takes it from here, as it
 * keeps what it finds when it is loaded.
 */
import './ownParts';

export * from 'kafkajs';
