// Devices, and what runs on them. The only room that loads the addon.
export * from './buffer.js'
export * from './device.js'
export * from './doctor.js'
export { DeviceError } from './errors.js'
export { addonPath, expectOps, versions } from './load-binding.js'
export * from './program.js'
