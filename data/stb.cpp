// The two single-file libraries, compiled once. Images come from memory, and PNG from libpng.
#include <stdlib.h>

#define STBI_NO_STDIO
#define STBI_ONLY_JPEG
#define STBI_ONLY_BMP
// Of sizes that hardly differ the resizer's weights sum to more than it expects; it scales them to 1 right afterwards.
#define STBIR_ASSERT(x) ((void)(x))
// A damaged JPEG may name tables that it never defined: they are then empty, and not whatever memory held.
#define STBI_MALLOC(size) calloc(1, size)
#define STBI_REALLOC(p, size) realloc(p, size)
#define STBI_FREE(p) free(p)
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_RESIZE_IMPLEMENTATION
#include <stb/stb_image.h>
#include <stb/stb_image_resize.h>

namespace kern::data {
// stb keeps the reason of the last failure of this thread, and some failures leave it as it was.
void forget_stb_failure() { stbi__g_failure_reason = nullptr; }
}  // namespace kern::data
