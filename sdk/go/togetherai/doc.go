// Repair GPU nodes of Together AI clusters: instance remediations as infrastructure as code.
package togetherai
