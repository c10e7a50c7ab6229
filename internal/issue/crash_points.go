//go:build crashpoints

package issue

import (
	"os"
	"syscall"
)

// crash kills this process, as a power cut would, at the point SAOY_CRASH_AT names.
func crash(point string) {
	if os.Getenv("SAOY_CRASH_AT") == point {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}
