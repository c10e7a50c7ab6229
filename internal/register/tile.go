package register

import (
	"encoding/binary"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/saoy/saoy/internal/certcopy"
)

// tileHeight and tileWidth are fixed by c2sp.org/tlog-tiles.
const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
)

// Tile names a piece of the log by which anyone may copy and audit it, as
// c2sp.org/tlog-tiles cuts it: 256 hashes of one level, or a bundle of 256 leaves.
type Tile struct {
	// Entries marks a bundle of leaves instead of hashes.
	Entries bool
	tile    tlog.Tile
}

// ParseTile reads the part of a tile's address after ".../tile/", such as "0/x001/234",
// "1/000.p/7" or "entries/000". There is one spelling of each. Errors wrap ErrProof.
func ParseTile(path string) (Tile, error) {
	rest, entries := strings.CutPrefix(path, "entries/")
	if entries {
		rest = "0/" + rest
	}
	full := fmt.Sprintf("tile/%d/%s", tileHeight, rest)
	t, err := tlog.ParseTilePath(full)
	if err != nil || t.L < 0 || t.Path() != full {
		return Tile{}, fmt.Errorf("%w: no such tile", ErrProof)
	}
	return Tile{Entries: entries, tile: t}, nil
}

// Full reports whether the tile is complete, so that its bytes never change.
func (t Tile) Full() bool { return t.tile.W == tileWidth }

// Within reports whether a tree of the size holds all of the tile.
func (t Tile) Within(size int64) bool {
	level := uint(t.tile.L) * tileHeight
	if level > 62 {
		return false
	}
	// Whole subtrees of that level in the tree; compared by division, which cannot overflow.
	have := size >> level
	full, part := have/tileWidth, have%tileWidth
	return t.tile.N < full || t.tile.N == full && int64(t.tile.W) <= part
}

// Range returns the leaves of a bundle: from the first to before the last.
func (t Tile) Range() (from, to certcopy.LeafIndex) {
	first := t.tile.N * tileWidth
	return certcopy.LeafIndex(first), certcopy.LeafIndex(first + int64(t.tile.W))
}

// Hashes returns the bytes of a tile of hashes, which must be Within the tree.
func (t Tile) Hashes(r tlog.HashReader) ([]byte, error) {
	b, err := tlog.ReadTileData(t.tile, r)
	if err != nil {
		return nil, fmt.Errorf("hashes of the log: %w", err)
	}
	return b, nil
}

// AppendEntry appends a leaf to a bundle: its length in two bytes, big-endian, and itself.
// Leaves are at most MaxLeafBytes long.
func AppendEntry(bundle, leaf []byte) []byte {
	bundle = binary.BigEndian.AppendUint16(bundle, uint16(len(leaf))) // #nosec G115 -- bounded by MaxLeafBytes
	return append(bundle, leaf...)
}
