// KERN_SYNC=on: after every launch of a kernel the host waits for it, so that an error on the device is thrown at the
// launch that caused it and names the kernel, and not at whatever call comes later. Slow, for finding a fault's place;
// steps are then not recorded as graphs unless KERN_GRAPH=on asks for it (launches that are recorded are not waited
// for).
#pragma once

namespace kern::kernels {

bool sync_launches();  // KERN_SYNC=on|off, off if unset
void set_sync_launches(bool on);

}  // namespace kern::kernels
