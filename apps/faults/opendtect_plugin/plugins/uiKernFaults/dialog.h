// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
class uiODMain;

namespace kern::opendtect_plugin {

// Asks for cube, model and result, does the work, and shows an inline of what was found.
void show_faults_dialog(uiODMain& application);

}  // namespace kern::opendtect_plugin
