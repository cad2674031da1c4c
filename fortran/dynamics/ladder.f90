! SPDX-License-Identifier: MIT
!> The ladder of forces and the integrator that climbs it, for any number of levels.
!>
!> One level is velocity Verlet or BAOAB. Two levels are RESPA or BAOAB-RESPA with the difference force outside
!> (Tuckerman, Berne and Martyna, J. Chem. Phys. 97, 1990 (1992); Cattin et al., arXiv:2510.06562, Algorithm 1).
module fennix_ladder
   use fennix_kinds, only : dp
   use fennix_error, only : error_type
   use fennix_cell, only : cell_type
   use fennix_atoms, only : atoms_type
   use fennix_levels, only : evaluate_level, level_type
   use fennix_motion, only : motion_type
   use fennix_propagate, only : drift, kick, kick_difference
   use fennix_thermostat, only : thermostat_type
   use fennix_timer, only : timer_integrate, timer_type
   implicit none
   private
   public :: ladder_type, outer_step, evaluate_all

   type :: ladder_type
      !> Outermost (accurate) first
      type(level_type), allocatable :: levels(:)
      !> Acts in the middle of the innermost step
      class(thermostat_type), allocatable :: thermostat
      !> Largest difference force per atom in an outer kick, kcal/mol/Å, 0 = no cap
      real(dp) :: force_cap = 0.0_dp
   end type ladder_type

contains


!> One step of the outermost level
subroutine outer_step(self, atoms, cell, dt, with_virial, motion, timer, error)
   type(ladder_type), intent(inout) :: self
   type(atoms_type), intent(inout) :: atoms
   type(cell_type), intent(in) :: cell
   !> Outer time step, ps
   real(dp), intent(in) :: dt
   !> Ask the accurate level for its virial at the end of the step
   logical, intent(in) :: with_virial
   type(motion_type), intent(inout) :: motion
   type(timer_type), intent(inout) :: timer
   type(error_type), allocatable, intent(out) :: error

   call step(self, 1, atoms, cell, dt, with_virial, motion, timer, error)
end subroutine outer_step


!> One step of level k: half kick, the step inside, new force, half kick
recursive subroutine step(self, k, atoms, cell, dt, with_virial, motion, timer, error)
   type(ladder_type), intent(inout) :: self
   !> Level, 1 = outermost
   integer, intent(in) :: k
   type(atoms_type), intent(inout) :: atoms
   type(cell_type), intent(in) :: cell
   !> Time step of this level, ps
   real(dp), intent(in) :: dt
   logical, intent(in) :: with_virial
   type(motion_type), intent(inout) :: motion
   type(timer_type), intent(inout) :: timer
   type(error_type), allocatable, intent(out) :: error
   integer :: isub, n

   call half_kick(self, k, atoms, dt, motion, timer)
   if (k == size(self%levels)) then
      call timer%start(timer_integrate)
      call drift(atoms, 0.5_dp*dt)
      call self%thermostat%apply(atoms, dt, motion)
      call drift(atoms, 0.5_dp*dt)
      motion%inner_step = motion%inner_step + 1
      call timer%stop(timer_integrate)
   else
      n = self%levels(k + 1)%substeps
      do isub = 1, n
         call step(self, k + 1, atoms, cell, dt/n, .false., motion, timer, error)
         if (allocated(error)) return
      end do
   end if
   call evaluate_level(self%levels(k), cell, atoms, motion%inner_step, with_virial, timer, error)
   if (allocated(error)) return
   call half_kick(self, k, atoms, dt, motion, timer)
end subroutine step


!> v += dt/2m (F_k - F_{k+1}); the innermost level has nothing inside it to subtract
subroutine half_kick(self, k, atoms, dt, motion, timer)
   type(ladder_type), intent(in) :: self
   integer, intent(in) :: k
   type(atoms_type), intent(inout) :: atoms
   real(dp), intent(in) :: dt
   type(motion_type), intent(inout) :: motion
   type(timer_type), intent(inout) :: timer

   call timer%start(timer_integrate)
   if (k == size(self%levels)) then
      call kick(atoms, self%levels(k)%forces, 0.5_dp*dt)
   else
      call kick_difference(atoms, self%levels(k)%forces, self%levels(k + 1)%forces, 0.5_dp*dt, self%force_cap, &
         & motion%n_capped)
   end if
   call timer%stop(timer_integrate)
end subroutine half_kick


!> Forces of every level at the present positions, as a run needs before its first step
subroutine evaluate_all(self, atoms, cell, motion, timer, error)
   type(ladder_type), intent(inout) :: self
   type(atoms_type), intent(in) :: atoms
   type(cell_type), intent(in) :: cell
   type(motion_type), intent(in) :: motion
   type(timer_type), intent(inout) :: timer
   type(error_type), allocatable, intent(out) :: error
   integer :: k

   do k = size(self%levels), 1, -1
      call evaluate_level(self%levels(k), cell, atoms, motion%inner_step, k == 1, timer, error)
      if (allocated(error)) return
   end do
end subroutine evaluate_all

end module fennix_ladder
