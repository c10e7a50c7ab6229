package postgres

// ForbidNamespaces makes user namespaces fail, as in a container, until restore.
func ForbidNamespaces() (restore func()) {
	namespaces = false
	return func() { namespaces = true }
}

// ForgetBinaries hides the places where packages install PostgreSQL, until restore.
func ForgetBinaries() (restore func()) {
	old := installed
	installed = nil
	return func() { installed = old }
}
