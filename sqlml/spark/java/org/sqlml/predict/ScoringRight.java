package org.sqlml.predict;

import java.io.Serializable;

/**
 * The right to score with a model, as it was asked for when a call was resolved.
 *
 * @param user who asked
 * @param model the name of a registered model; null where the query gives the model's bytes
 * @param digest SHA-256 of the graph
 */
record ScoringRight(String user, String model, String digest) implements Serializable {}
