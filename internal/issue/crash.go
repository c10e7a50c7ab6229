//go:build !crashpoints

package issue

// crash marks a point between two durable writes. In a binary built with the tag crashpoints
// the process kills itself at the point that SAOY_CRASH_AT names; the fault tests run every
// one. What a crash at each point leaves, and who goes on:
//
//	number.rehearsed    nothing was written                 the job: rehearses again
//	number.taken        number and book row                 the job of stamping
//	stamp.kept          the stamped file, unreferenced      the job: stamps the same bytes, finds them
//	stamp.advanced      state stamped                       the job of signing
//	sign.prepared       prepared bytes of the generation    the job: reads them
//	sign.value          the signature value                 the job: reads it, asks for the time-stamp
//	sign.stamped        nothing more (token not stored)     the job: asks for another token
//	sign.cms            the complete CMS                    the job: embeds it
//	sign.kept           the signed file, unreferenced       the job: makes the same bytes, finds them
//	sign.advanced       state signed                        the job of sealing, or the seal keeper
//	seal.*              as sign.*, for the agency           the same
//	register.dss        the increment with validation data  the job: reads it
//	register.vaulted    the final file, unreferenced        the job: finds it
//	register.appended   leaf and state, together            the publisher
//	publish.signed      nothing (note not stored)           the publisher: signs again
//	publish.stored      the checkpoint in the blobs         the publisher: reads it, records it
//	publish.recorded    everything                          nobody
func crash(string) {}
