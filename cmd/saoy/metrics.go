package main

import "context"

func (a *app) serveMetrics(context.Context) error { return nil }
