// Package intake makes one clean document of the scans of an original.
//
// Read turns an uploaded file (JPEG, PNG, TIFF, WebP, HEIC or PDF, told apart by their first
// bytes) into pages: for each an image encoded as it will stand in the PDF, upright, in sRGB or
// grey or black and white, without a byte of metadata. Assemble writes the pages of all the
// files as a PDF that holds nothing else. The samples of a JPEG, and of most PNG and TIFF
// images, are passed through as they came; a PDF is never passed through, its pages are
// drawn again. Every decoder runs in a child process of package confine.
//
// An error names the file and says in both languages what is wrong and what to do.
package intake
