! SPDX-License-Identifier: MIT
!> The ladder with a provider written in C: no Python in sight.
module test_ladder
   use, intrinsic :: iso_c_binding, only : c_char, c_funloc, c_int, c_loc, c_ptr
   use fennix_kinds, only : dp, i4
   use fennix_error, only : error_type, fatal_error
   use fennix_units, only : accel_factor
   use fennix_timer, only : timer_accurate, timer_fast, timer_type
   use fennix_comm, only : new_serial_comm
   use fennix_cell, only : cell_type, new_cell_from_vectors, open_cell
   use fennix_atoms, only : atoms_type
   use fennix_domain, only : divide, domain_type, new_domain
   use fennix_seam, only : force_request, force_result, provider_conservative, provider_record
   use fennix_provider, only : new_provider, provider_type
   use fennix_levels, only : halo_width, level_type, new_level
   use fennix_motion, only : motion_type, new_motion
   use fennix_langevin, only : langevin_type
   use fennix_ladder, only : evaluate_all, ladder_type, outer_step
   use fennix_thermostat, only : null_thermostat_type
   use test_runner, only : check, expect_error
   implicit none
   private
   public :: test_ladder_analytic, test_ladder_reversible, test_ladder_same_levels, test_ladder_same_noise, &
      & test_ladder_images, test_ladder_failure, test_ladder_element, test_ladder_halo

   interface
      function spring_force(context, request, result) bind(c) result(status)
         import :: c_int, c_ptr, force_request, force_result
         implicit none
         type(c_ptr), value :: context
         type(force_request), intent(in) :: request
         type(force_result), intent(inout) :: result
         integer(c_int) :: status
      end function spring_force

      function failing_force(context, request, result) bind(c) result(status)
         import :: c_int, c_ptr, force_request, force_result
         implicit none
         type(c_ptr), value :: context
         type(force_request), intent(in) :: request
         type(force_result), intent(inout) :: result
         integer(c_int) :: status
      end function failing_force

      subroutine spring_message(context, buffer, size) bind(c)
         import :: c_char, c_int, c_ptr
         implicit none
         type(c_ptr), value :: context
         character(kind=c_char), intent(inout) :: buffer(*)
         integer(c_int), value :: size
      end subroutine spring_message
   end interface

contains


!> Two hydrogens on a spring: the RESPA map of one step, worked out by hand
subroutine test_ladder_analytic(error)
   type(error_type), allocatable, intent(out) :: error
   type(ladder_type) :: ladder
   type(domain_type) :: domain
   type(atoms_type) :: atoms
   type(motion_type) :: motion
   type(timer_type) :: timer
   real(dp), parameter :: dt = 0.002_dp, slow = 100.0_dp, fast = 80.0_dp
   real(dp) :: x, v, scale

   call new_dimer(ladder, domain, atoms, motion, [slow, fast], 2, error)
   if (.not. allocated(error)) call evaluate_all(ladder, domain, atoms, open_cell(), motion, timer, error)
   if (.not. allocated(error)) call outer_step(ladder, domain, atoms, open_cell(), dt, .true., motion, timer, error)
   if (allocated(error)) return
   scale = 2.0_dp*accel_factor/atoms%mass(1)
   x = 0.8_dp
   v = -0.5_dp*dt*scale*(slow - fast)*x
   call by_hand(x, v, scale*fast, 0.5_dp*dt)
   call by_hand(x, v, scale*fast, 0.5_dp*dt)
   v = v - 0.5_dp*dt*scale*(slow - fast)*x
   call near(atoms%position(1, 2) - atoms%position(1, 1), x, 1.0e-13_dp, "position", error)
   if (.not. allocated(error)) then
      call near(atoms%velocity(1, 2) - atoms%velocity(1, 1), v, 1.0e-10_dp, "velocity", error)
   end if
   if (.not. allocated(error)) then
      call near(ladder%levels(1)%virial(1, 1), slow*x**2, 1.0e-10_dp, "virial", error)
   end if
end subroutine test_ladder_analytic


!> One velocity Verlet step of the relative coordinate
pure subroutine by_hand(x, v, k, h)
   real(dp), intent(inout) :: x, v
   real(dp), intent(in) :: k, h

   v = v - 0.5_dp*h*k*x
   x = x + h*v
   v = v - 0.5_dp*h*k*x
end subroutine by_hand


!> Forward, velocities turned round, and back again
subroutine test_ladder_reversible(error)
   type(error_type), allocatable, intent(out) :: error
   type(ladder_type) :: ladder
   type(domain_type) :: domain
   type(atoms_type) :: atoms
   type(motion_type) :: motion
   type(timer_type) :: timer
   real(dp) :: start(3, 2)
   integer :: i, way

   call new_dimer(ladder, domain, atoms, motion, [100.0_dp, 80.0_dp], 3, error)
   start = atoms%position
   if (.not. allocated(error)) call evaluate_all(ladder, domain, atoms, open_cell(), motion, timer, error)
   do way = 1, 2
      do i = 1, 200
         if (allocated(error)) return
         call outer_step(ladder, domain, atoms, open_cell(), 0.001_dp, .false., motion, timer, error)
      end do
      atoms%velocity = -atoms%velocity
   end do
   if (any(abs(atoms%position - start) > 1.0e-11_dp)) call fatal_error(error, "the trajectory does not return")
end subroutine test_ladder_reversible


!> Two equal levels with n substeps are one level at the inner step
subroutine test_ladder_same_levels(error)
   type(error_type), allocatable, intent(out) :: error

   call compare_levels(.false., error)
end subroutine test_ladder_same_levels


!> The same with a Langevin thermostat: the noise follows the inner step, not the outer one
subroutine test_ladder_same_noise(error)
   type(error_type), allocatable, intent(out) :: error

   call compare_levels(.true., error)
end subroutine test_ladder_same_noise


subroutine compare_levels(langevin, error)
   logical, intent(in) :: langevin
   type(error_type), allocatable, intent(out) :: error
   type(ladder_type) :: one, two
   type(domain_type) :: domain_one, domain_two
   type(atoms_type) :: atoms_one, atoms_two
   type(motion_type) :: motion_one, motion_two
   type(timer_type) :: timer
   integer :: i
   real(dp), parameter :: h = 0.0005_dp

   call new_dimer(one, domain_one, atoms_one, motion_one, [100.0_dp], 1, error)
   if (.not. allocated(error)) call new_dimer(two, domain_two, atoms_two, motion_two, [100.0_dp, 100.0_dp], 4, error)
   if (allocated(error)) return
   if (langevin) then
      one%thermostat = langevin_type(temperature=300.0_dp, friction=5.0_dp, seed=42)
      two%thermostat = langevin_type(temperature=300.0_dp, friction=5.0_dp, seed=42)
   end if
   call evaluate_all(one, domain_one, atoms_one, open_cell(), motion_one, timer, error)
   if (.not. allocated(error)) call evaluate_all(two, domain_two, atoms_two, open_cell(), motion_two, timer, error)
   do i = 1, 400
      if (allocated(error)) return
      call outer_step(one, domain_one, atoms_one, open_cell(), h, .false., motion_one, timer, error)
      if (mod(i, 4) == 0 .and. .not. allocated(error)) then
         call outer_step(two, domain_two, atoms_two, open_cell(), 4*h, .false., motion_two, timer, error)
      end if
   end do
   if (allocated(error)) return
   if (any(abs(atoms_one%position - atoms_two%position) > 1.0e-10_dp)) call fatal_error(error, "trajectories differ")
   if (motion_one%inner_step /= motion_two%inner_step) call fatal_error(error, "inner steps are counted differently")
   if (langevin .and. abs(motion_one%heat) < 1.0e-6_dp) call fatal_error(error, "the thermostat did nothing")
end subroutine compare_levels


!> One atom in a small box pulls on its own images: no force, but a virial
subroutine test_ladder_images(error)
   type(error_type), allocatable, intent(out) :: error
   type(ladder_type) :: ladder
   type(domain_type) :: domain
   type(atoms_type) :: atoms
   type(motion_type) :: motion
   type(timer_type) :: timer
   type(cell_type) :: cell
   real(dp), parameter :: edge = 2.0_dp, k = 10.0_dp

   call new_cell_from_vectors(cell, edge*reshape([1.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 1.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, &
      & 1.0_dp], [3, 3]), error)
   if (.not. allocated(error)) call new_dimer(ladder, domain, atoms, motion, [k], 1, error)
   if (.not. allocated(error)) call keep_one(ladder, domain, atoms, cell, motion, k, error)
   if (.not. allocated(error)) call evaluate_all(ladder, domain, atoms, cell, motion, timer, error)
   if (allocated(error)) return
   ! Range 2.5 Å: six images at 2 Å, each pair counted half
   call near(ladder%levels(1)%energy, 6*0.25_dp*k*edge**2, 1.0e-10_dp, "energy of images", error)
   if (.not. allocated(error)) then
      call near(ladder%levels(1)%virial(2, 2), 2*0.5_dp*k*edge**2, 1.0e-10_dp, "virial of images", error)
   end if
   if (any(abs(ladder%levels(1)%forces) > 1.0e-12_dp)) call fatal_error(error, "images exert a force")
end subroutine test_ladder_images


!> The provider's own words arrive
subroutine test_ladder_failure(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: failure
   type(ladder_type) :: ladder
   type(domain_type) :: domain
   type(atoms_type) :: atoms
   type(motion_type) :: motion
   type(timer_type) :: timer

   call new_dimer(ladder, domain, atoms, motion, [10.0_dp], 1, error)
   if (allocated(error)) return
   ladder%levels(1)%provider%record%force = c_funloc(failing_force)
   call evaluate_all(ladder, domain, atoms, open_cell(), motion, timer, failure)
   if (.not. allocated(failure)) then
      call fatal_error(error, "a failing provider went unnoticed")
   else if (failure%message /= "the spring is broken") then
      call fatal_error(error, "the provider's text was lost: " // failure%message)
   end if
end subroutine test_ladder_failure


!> An element that the provider does not know is refused by name
subroutine test_ladder_element(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: failure
   type(ladder_type) :: ladder
   type(domain_type) :: domain
   type(atoms_type) :: atoms
   type(motion_type) :: motion
   type(provider_type) :: provider

   call new_dimer(ladder, domain, atoms, motion, [10.0_dp], 1, error)
   if (allocated(error)) return
   provider = ladder%levels(1)%provider
   provider%record%element(2) = 0
   call new_level(ladder%levels(1), 1, provider, domain, 0.5_dp, 0.0_dp, "auto", timer_accurate, failure)
   if (.not. allocated(failure)) then
      call fatal_error(error, "an unknown element was accepted")
   else if (index(failure%message, "element H of atom 1") == 0) then
      call fatal_error(error, "the element is not named: " // failure%message)
   end if
end subroutine test_ladder_element


!> How wide a halo a level needs, whether features are exchanged, and what cannot be spread over ranks
subroutine test_ladder_halo(error)
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: failure
   type(ladder_type) :: ladder
   type(domain_type) :: domain
   type(atoms_type) :: atoms
   type(motion_type) :: motion
   type(provider_type) :: provider

   call new_dimer(ladder, domain, atoms, motion, [10.0_dp], 1, error)
   if (allocated(error)) return
   provider = ladder%levels(1)%provider
   provider%range = 7.0_dp
   call expect(.false., "auto", 7.5_dp, .false.)
   call refuse("exchange", "'halo exchange'|auto or wide")
   domain%comm%size = 2
   call expect(.false., "auto", 7.5_dp, .false.)
   call expect(.true., "auto", 3.0_dp, .true.)
   call expect(.true., "exchange", 3.0_dp, .true.)
   call expect(.true., "wide", 7.5_dp, .false.)
   call refuse("exchange", "'halo exchange'|auto or wide")
   provider%range = 2.5_dp
   call expect(.false., "exchange", 3.0_dp, .false.)
   provider%cutoff = 0.0_dp
   call refuse("auto", "whole system|2 ranks")
   domain%comm%size = 1
   call expect(.false., "auto", 3.0_dp, .false.)

contains

   !> A level with such a halo
   subroutine expect(can_exchange, mode, width, exchanging)
      logical, intent(in) :: can_exchange, exchanging
      character(len=*), intent(in) :: mode
      real(dp), intent(in) :: width
      type(level_type) :: level

      provider%exchanges = can_exchange
      call new_level(level, 1, provider, domain, 0.5_dp, 0.0_dp, mode, timer_accurate, failure)
      call check(error, .not. allocated(failure), "halo " // mode // " was refused")
      call check(error, level%exchanging .eqv. exchanging, "halo " // mode // ": wrong choice about exchanges")
      if (.not. allocated(error)) call near(halo_width(level), width, 1.0e-14_dp, "width of halo " // mode, error)
   end subroutine expect

   !> The level cannot be had
   subroutine refuse(mode, parts)
      character(len=*), intent(in) :: mode, parts
      type(level_type) :: level

      provider%exchanges = .false.
      call new_level(level, 1, provider, domain, 0.5_dp, 0.0_dp, mode, timer_accurate, failure)
      call expect_error(error, failure, parts)
   end subroutine refuse

end subroutine test_ladder_halo


!> Two hydrogens 0.8 Å apart and a ladder of springs, outermost first
subroutine new_dimer(ladder, domain, atoms, motion, springs, substeps, error)
   type(ladder_type), intent(out) :: ladder
   type(domain_type), intent(out) :: domain
   type(atoms_type), intent(out) :: atoms
   type(motion_type), intent(out) :: motion
   !> kcal/mol/Å²
   real(dp), intent(in) :: springs(:)
   integer, intent(in) :: substeps
   type(error_type), allocatable, intent(out) :: error
   integer :: k

   atoms%title = "dimer"
   atoms%n = 2
   atoms%number = [1_i4, 1_i4]
   atoms%id = [0_i4, 1_i4]
   atoms%mass = [1.008_dp, 1.008_dp]
   atoms%position = reshape([0.0_dp, 0.0_dp, 0.0_dp, 0.8_dp, 0.0_dp, 0.0_dp], [3, 2])
   atoms%velocity = 0.0_dp*atoms%position
   call new_domain(domain, new_serial_comm(), atoms)
   call divide(domain, open_cell(), atoms, 0.0_dp)
   call new_motion(motion, domain%composition)
   allocate(ladder%levels(size(springs)))
   ladder%thermostat = null_thermostat_type()
   do k = 1, size(springs)
      call set_spring(ladder, k, springs(k), domain, error)
      if (allocated(error)) return
      if (k == 2) ladder%levels(2)%substeps = substeps
   end do
end subroutine new_dimer


!> A level of springs; the constant lives as long as the test program
subroutine set_spring(ladder, k, spring, domain, error)
   type(ladder_type), intent(inout) :: ladder
   integer, intent(in) :: k
   real(dp), intent(in) :: spring
   type(domain_type), intent(in) :: domain
   type(error_type), allocatable, intent(out) :: error
   type(provider_record) :: record
   type(provider_type) :: provider
   real(dp), pointer :: constant

   allocate(constant, source=spring)
   record%traits = provider_conservative
   record%force = c_funloc(spring_force)
   record%message = c_funloc(spring_message)
   record%context = c_loc(constant)
   record%cutoff = 2.5_dp
   record%range = 2.5_dp
   call new_provider(provider, record, error)
   if (allocated(error)) return
   call new_level(ladder%levels(k), k, provider, domain, 0.5_dp, 0.0_dp, "auto", &
      & merge(timer_accurate, timer_fast, k == 1), error)
end subroutine set_spring


!> Drop the second atom
subroutine keep_one(ladder, domain, atoms, cell, motion, spring, error)
   type(ladder_type), intent(inout) :: ladder
   type(domain_type), intent(out) :: domain
   type(atoms_type), intent(inout) :: atoms
   type(cell_type), intent(in) :: cell
   type(motion_type), intent(out) :: motion
   real(dp), intent(in) :: spring
   type(error_type), allocatable, intent(out) :: error

   atoms%n = 1
   atoms%number = [1_i4]
   atoms%id = [0_i4]
   atoms%mass = [1.008_dp]
   atoms%position = reshape([0.1_dp, 0.2_dp, 0.3_dp], [3, 1])
   atoms%velocity = 0.0_dp*atoms%position
   call new_domain(domain, new_serial_comm(), atoms)
   call divide(domain, cell, atoms, 0.0_dp)
   call new_motion(motion, domain%composition)
   call set_spring(ladder, 1, spring, domain, error)
end subroutine keep_one


subroutine near(value, expected, tolerance, what, error)
   real(dp), intent(in) :: value, expected, tolerance
   character(len=*), intent(in) :: what
   type(error_type), allocatable, intent(out) :: error
   character(len=120) :: text

   if (abs(value - expected) <= tolerance) return
   write(text, '(a,": got ",es23.15,", expected ",es23.15)') what, value, expected
   call fatal_error(error, trim(text))
end subroutine near

end module test_ladder
