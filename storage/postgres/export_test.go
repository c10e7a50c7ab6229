package postgres

import "context"

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

// Setting returns a setting of a connection of the store.
func Setting(ctx context.Context, s *Store, name string) (value string, err error) {
	err = s.pool.QueryRow(ctx, `SELECT current_setting($1)`, name).Scan(&value)
	return value, err
}
