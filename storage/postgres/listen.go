package postgres

type ear struct{}

func (e *ear) close() {}
