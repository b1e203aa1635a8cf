--TEST--
The extension shows itself, with its version and that of libshoal
--EXTENSIONS--
shoal
--FILE--
<?php
$core = shoal_version();
var_dump(extension_loaded('shoal'), version_compare(phpversion('shoal'), '0.1', '>='), phpversion('shoal') === $core);
ob_start();
phpinfo(INFO_MODULES);
$shown = ob_get_clean();
var_dump(str_contains($shown, "libshoal's version => $core"), str_contains($shown, "Extension's version => $core"));
var_dump(SHOAL_VERSION_NUMBER >= 1000, defined('swig_runtime_data_type_pointer'));
?>
--EXPECT--
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
bool(true)
bool(false)
