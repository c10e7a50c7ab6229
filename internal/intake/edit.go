package intake

// Edit is what a clerk asked to be done to a page as it was uploaded.
type Edit struct {
	// Turn is the number of quarter turns clockwise, 0 to 3; done after all else.
	Turn int `json:",omitempty"`
}

// Origin says where the page as it was uploaded lies, so that every edit can be taken back.
type Origin struct {
	Scan string // the scan that was uploaded
	Page int    // in it, from 0
}
