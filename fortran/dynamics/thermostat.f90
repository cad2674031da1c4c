! SPDX-License-Identifier: MIT
!> The O step of the splitting: what a thermostat is, and the one that does nothing.
module fennix_thermostat
   use fennix_kinds, only : dp
   use fennix_error, only : error_type
   use fennix_atoms, only : atoms_type
   use fennix_motion, only : motion_type
   implicit none
   private
   public :: thermostat_type, null_thermostat_type

   !> Acts on velocities for a time h in the middle of the innermost step
   type, abstract :: thermostat_type
   contains
      procedure(apply_interface), deferred :: apply
   end type thermostat_type

   abstract interface
      !> Change the velocities and tally the mid-step kinetic energy and the heat taken up
      subroutine apply_interface(self, atoms, h, motion)
         import :: thermostat_type, atoms_type, motion_type, dp
         implicit none
         class(thermostat_type), intent(in) :: self
         type(atoms_type), intent(inout) :: atoms
         !> Inner time step, ps
         real(dp), intent(in) :: h
         type(motion_type), intent(inout) :: motion
      end subroutine apply_interface
   end interface

   !> Constant energy
   type, extends(thermostat_type) :: null_thermostat_type
   contains
      procedure :: apply => apply_nothing
   end type null_thermostat_type

contains


subroutine apply_nothing(self, atoms, h, motion)
   class(null_thermostat_type), intent(in) :: self
   type(atoms_type), intent(inout) :: atoms
   real(dp), intent(in) :: h
   type(motion_type), intent(inout) :: motion

   associate (unused_thermostat => self, unused_atoms => atoms, unused_step => h, unused_motion => motion)
   end associate
end subroutine apply_nothing

end module fennix_thermostat
