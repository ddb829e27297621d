package org.sqlml.predict;

import java.io.Serializable;

/**
 * The permission to score with a model, as checked for the user for whom a call was resolved. {@link
 * CheckScoringRights} checks it again for any other user who runs the plan, such as the reader of a view.
 *
 * @param user the user for whom the call was resolved
 * @param model the name of a registered model; null where the query gives the model's bytes
 * @param digest SHA-256 of the graph
 */
record ScoringRight(String user, String model, String digest) implements Serializable {}
